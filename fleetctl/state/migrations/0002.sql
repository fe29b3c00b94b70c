-- Until when a site is left alone, and why; the site '*' is the whole fleet.
CREATE TABLE holds (
    site TEXT PRIMARY KEY,
    until REAL NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    since REAL NOT NULL
) WITHOUT ROWID;
