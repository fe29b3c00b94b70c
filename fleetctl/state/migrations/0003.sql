-- What the gates after a run's waves said last, and who let them pass; `wave` is the one before the gate.
CREATE TABLE run_gates (
    run TEXT NOT NULL REFERENCES runs (id),
    wave INTEGER NOT NULL,
    gate TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    seen TEXT NOT NULL,
    who TEXT NOT NULL,
    began REAL NOT NULL,
    since REAL NOT NULL,
    PRIMARY KEY (run, wave, gate)
) WITHOUT ROWID;
