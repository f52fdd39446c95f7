-- Texts are in COLLATE "C": ordered by their bytes, whatever the database's locale. Times are microseconds since 1970.
-- No text holds U+0000, which PostgreSQL cannot keep: see text.rs.

CREATE TABLE scimgate.record (
    tenant        text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    scim_id       text COLLATE "C" NOT NULL,
    target_id     text COLLATE "C",
    external_id   text COLLATE "C",
    shadow        text NOT NULL,
    created       bigint NOT NULL,
    modified      bigint NOT NULL,
    revision      bigint NOT NULL,
    is_deleted    boolean NOT NULL,
    PRIMARY KEY (tenant, resource_type, scim_id)
);
CREATE UNIQUE INDEX record_by_target ON scimgate.record (tenant, resource_type, target_id);
CREATE INDEX record_by_external_id ON scimgate.record (tenant, resource_type, external_id, scim_id) WHERE NOT is_deleted;

CREATE TABLE scimgate.intent (
    tenant        text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    match_key     text COLLATE "C" NOT NULL,
    digest        bytea NOT NULL CHECK (length(digest) = 32),
    scim_id       text COLLATE "C" NOT NULL,
    state         smallint NOT NULL CHECK (state BETWEEN 0 AND 2),
    prepared_at   bigint NOT NULL,
    target_id     text COLLATE "C",
    PRIMARY KEY (tenant, resource_type, match_key)
);
CREATE INDEX intent_by_scim_id ON scimgate.intent (tenant, resource_type, scim_id);
CREATE INDEX intent_open ON scimgate.intent (tenant, resource_type, prepared_at, match_key) WHERE state = 0;
CREATE INDEX intent_acknowledged ON scimgate.intent (tenant, prepared_at) WHERE state = 2;

CREATE TABLE scimgate.held (
    tenant        text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    named         text COLLATE "C" NOT NULL,
    from_type     text COLLATE "C" NOT NULL,
    from_id       text COLLATE "C" NOT NULL,
    attribute     text COLLATE "C" NOT NULL,
    since         bigint NOT NULL,
    PRIMARY KEY (tenant, resource_type, named, from_type, from_id, attribute)
);
CREATE INDEX held_by_from ON scimgate.held (tenant, from_type, from_id);
CREATE INDEX held_by_age ON scimgate.held (tenant, since);

CREATE TABLE scimgate.client_key (
    id      text COLLATE "C" NOT NULL,
    tenant  text COLLATE "C" NOT NULL,
    name    text NOT NULL,
    sha256  bytea NOT NULL CHECK (length(sha256) = 32),
    created bigint NOT NULL,
    expires bigint,
    revoked bigint,
    CONSTRAINT client_key_id PRIMARY KEY (id),
    CONSTRAINT client_key_sha256 UNIQUE (sha256)
);
CREATE INDEX client_key_by_tenant ON scimgate.client_key (tenant, created, id);

-- The second line behind every WHERE: a transaction sees the tenant it has named, and without one nobody. FORCE, since the
-- gateway's role owns the tables. Keys alone are read for everybody, to find out whose they are.
ALTER TABLE scimgate.record ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE scimgate.intent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE scimgate.held ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE scimgate.client_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON scimgate.record USING (tenant = current_setting('scimgate.tenant', true));
CREATE POLICY own_tenant ON scimgate.intent USING (tenant = current_setting('scimgate.tenant', true));
CREATE POLICY own_tenant ON scimgate.held USING (tenant = current_setting('scimgate.tenant', true));
CREATE POLICY own_tenant ON scimgate.client_key USING (tenant = current_setting('scimgate.tenant', true));
CREATE POLICY every_key ON scimgate.client_key FOR SELECT USING (current_setting('scimgate.reads_keys', true) = 'on');
