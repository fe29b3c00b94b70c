CREATE TABLE blobs (
    digest TEXT PRIMARY KEY,
    data BLOB NOT NULL
) WITHOUT ROWID;

-- What a release's digest stands for: a blob that lists the blobs of its objects.
CREATE TABLE releases (
    digest TEXT PRIMARY KEY,
    blob TEXT NOT NULL REFERENCES blobs (digest),
    bundle TEXT NOT NULL,
    version TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_blob TEXT NOT NULL REFERENCES blobs (digest),
    who TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    dirty INTEGER NOT NULL,
    project TEXT NOT NULL,
    bundle TEXT NOT NULL,
    namespace TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    wave INTEGER NOT NULL,
    created REAL NOT NULL,
    ended REAL,
    supersedes TEXT,
    undoes TEXT,
    accepted_by TEXT
);
CREATE INDEX runs_by_bundle ON runs (bundle, state);

CREATE TABLE run_sites (
    run TEXT NOT NULL REFERENCES runs (id),
    site TEXT NOT NULL,
    wave INTEGER NOT NULL,
    phase TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT,
    effect TEXT,
    reason TEXT NOT NULL,
    cause TEXT,
    owed INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    goal TEXT,
    base TEXT,
    checked INTEGER NOT NULL,
    identity TEXT,
    origin TEXT,
    before_visit TEXT,
    after_visit TEXT,
    previous TEXT,
    evidence TEXT REFERENCES blobs (digest),
    requests INTEGER NOT NULL,
    notes TEXT NOT NULL,
    started REAL,
    ended REAL,
    PRIMARY KEY (run, site)
) WITHOUT ROWID;
CREATE INDEX run_sites_open ON run_sites (run, wave, site) WHERE outcome IS NULL;
CREATE INDEX run_sites_counted ON run_sites (run, wave, outcome, reason)
    WHERE outcome IN ('failed', 'unreachable') AND accepted = 0;
CREATE INDEX run_sites_by_site ON run_sites (site, started);

CREATE TABLE leases (
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    process TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (site, bundle)
) WITHOUT ROWID;

CREATE TABLE debts (
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    run TEXT NOT NULL REFERENCES runs (id),
    wave INTEGER NOT NULL,
    release TEXT,
    base TEXT,
    checked INTEGER NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    settled_by TEXT,
    PRIMARY KEY (run, site)
) WITHOUT ROWID;
CREATE UNIQUE INDEX debts_open ON debts (site, bundle) WHERE state = 'open';

CREATE TABLE installed (
    site TEXT NOT NULL,
    bundle TEXT NOT NULL,
    release TEXT NOT NULL,
    run TEXT NOT NULL,
    identity TEXT,
    since REAL NOT NULL,
    PRIMARY KEY (site, bundle)
) WITHOUT ROWID;
