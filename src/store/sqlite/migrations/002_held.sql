-- References to resources that do not exist yet. resource_type is that of the resource that is waited for.
CREATE TABLE held (
    tenant        TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    named         TEXT NOT NULL,
    from_type     TEXT NOT NULL,
    from_id       TEXT NOT NULL,
    attribute     TEXT NOT NULL,
    since         INTEGER NOT NULL,
    seal          INTEGER NOT NULL,
    PRIMARY KEY (tenant, resource_type, named, from_type, from_id, attribute)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_by_holder ON held (tenant, from_type, from_id, attribute);
CREATE INDEX held_by_age ON held (tenant, since);
