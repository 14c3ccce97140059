-- An answer of the judge by what made it (feedback.Key).
CREATE TABLE answers (
    key     BLOB    PRIMARY KEY,
    a       REAL    NOT NULL, -- log-probability of (A)
    b       REAL    NOT NULL, -- of (B)
    text    BLOB    NOT NULL, -- of the reasoning before it; may be empty
    prompt  INTEGER NOT NULL,
    reused  INTEGER NOT NULL,
    decoded INTEGER NOT NULL
) STRICT;

-- The settings that labels were made with, in the order in which they were begun.
CREATE TABLE sets (
    id       INTEGER PRIMARY KEY,
    settings TEXT    NOT NULL, -- JSON
    asked    INTEGER NOT NULL  -- pairs that are to have a label
) STRICT;

-- A pair that was judged.
CREATE TABLE pairs (
    id    TEXT    PRIMARY KEY,
    place INTEGER NOT NULL, -- among the pairs, from 0
    texts BLOB    NOT NULL  -- conversation, both responses and what is known of them, as JSON
) STRICT;

-- What was said of it.
CREATE TABLE labels (
    set_id INTEGER NOT NULL REFERENCES sets (id),
    pair   TEXT    NOT NULL REFERENCES pairs (id),
    label  BLOB    NOT NULL, -- feedback.Label as JSON
    PRIMARY KEY (set_id, pair)
) STRICT;
