-- Times are microseconds since 1970 (UTC). `seal` is a checksum of the row's other columns: see seal.rs.
-- Later migrations only add: the version before must be able to go on with the file.

CREATE TABLE record (
    tenant        TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    scim_id       TEXT NOT NULL,
    target_id     TEXT,
    external_id   TEXT,
    shadow        TEXT NOT NULL,
    created       INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    is_deleted    INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    seal          INTEGER NOT NULL,
    PRIMARY KEY (tenant, resource_type, scim_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX record_by_target ON record (tenant, resource_type, target_id)
    WHERE target_id IS NOT NULL;

CREATE INDEX record_by_external_id ON record (tenant, resource_type, external_id)
    WHERE external_id IS NOT NULL;

-- state: 0 prepared, 1 applied, 2 acknowledged.
CREATE TABLE intent (
    tenant        TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    match_key     TEXT NOT NULL,
    digest        BLOB NOT NULL,
    scim_id       TEXT NOT NULL,
    state         INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    prepared_at   INTEGER NOT NULL,
    target_id     TEXT,
    seal          INTEGER NOT NULL,
    PRIMARY KEY (tenant, resource_type, match_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX intent_by_scim_id ON intent (tenant, resource_type, scim_id);
CREATE INDEX intent_open ON intent (tenant, resource_type, prepared_at) WHERE state = 0;
CREATE INDEX intent_acknowledged ON intent (prepared_at) WHERE state = 2;

CREATE TABLE client_key (
    id      TEXT NOT NULL PRIMARY KEY,
    tenant  TEXT NOT NULL,
    name    TEXT NOT NULL,
    sha256  BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    seal    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX client_key_by_tenant ON client_key (tenant, created, id);
