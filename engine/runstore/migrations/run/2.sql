-- What a judge was asked is kept among the turns: log-probabilities of given answers, where nothing was generated.
ALTER TABLE turns ADD COLUMN scores BLOB;
