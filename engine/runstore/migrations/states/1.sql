-- Hidden states of a response by what they were computed from.
CREATE TABLE states (
    key  BLOB PRIMARY KEY,
    last BLOB NOT NULL, -- 32-bit little-endian floats
    mean BLOB NOT NULL
) STRICT;
