-- What objects of others were before a run took them over: the first of these is kept until the run is forgotten.
CREATE TABLE snapshots (
    run TEXT NOT NULL REFERENCES runs (id),
    site TEXT NOT NULL,
    object TEXT NOT NULL,
    blob TEXT NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (run, site, object)
) WITHOUT ROWID;
