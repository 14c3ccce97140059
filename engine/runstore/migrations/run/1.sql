-- A finished row: its whole trace, as JSON but for the token ids of its turns.
CREATE TABLE rows (
    id     TEXT    PRIMARY KEY,
    place  INTEGER NOT NULL, -- among the prompts, from 0
    failed INTEGER NOT NULL, -- 1 where it ended with an error
    record BLOB    NOT NULL,
    tokens BLOB    NOT NULL  -- of each turn how many, then the ids: all 32-bit little-endian
) STRICT;

CREATE INDEX rows_by_place ON rows (place);

-- A finished turn by what made it (revise.Key), be its row finished or not.
CREATE TABLE turns (
    key     BLOB    PRIMARY KEY,
    tokens  BLOB    NOT NULL, -- 32-bit little-endian
    text    BLOB    NOT NULL, -- may end inside a character
    ending  TEXT    NOT NULL,
    most    INTEGER NOT NULL, -- tokens it was allowed
    prompt  INTEGER NOT NULL,
    reused  INTEGER NOT NULL,
    decoded INTEGER NOT NULL,
    logprob REAL
) STRICT;
