CREATE TABLE trust.kept_objects (
  group_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  object_key TEXT NOT NULL,
  object_version TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  agency_id TEXT,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_kept_objects PRIMARY KEY (group_id, position)
);

CREATE INDEX ix_kept_objects_object_key ON trust.kept_objects (object_key);

CREATE TABLE trust.evidence_batches (
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_evidence_batches PRIMARY KEY (id)
);

CREATE TABLE trust.evidence_members (
  group_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  CONSTRAINT pk_evidence_members PRIMARY KEY (group_id),
  CONSTRAINT uq_evidence_members_batch_id_position UNIQUE (batch_id, position),
  CONSTRAINT fk_evidence_members_batch_id_evidence_batches FOREIGN KEY(batch_id) REFERENCES trust.evidence_batches (id)
);

CREATE TABLE trust.evidence_stages (
  batch_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  object_key TEXT NOT NULL,
  object_version TEXT NOT NULL,
  object_sha256 BYTEA NOT NULL,
  gen_time TIMESTAMP WITH TIME ZONE NOT NULL,
  not_after TIMESTAMP WITH TIME ZONE NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_evidence_stages PRIMARY KEY (batch_id, number),
  CONSTRAINT fk_evidence_stages_batch_id_evidence_batches FOREIGN KEY(batch_id) REFERENCES trust.evidence_batches (id)
);

CREATE TABLE trust.kept_releases (
  group_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_kept_releases PRIMARY KEY (group_id)
);

CREATE TABLE trust.kept_digests (
  group_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  digest TEXT NOT NULL,
  value BYTEA NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_kept_digests PRIMARY KEY (group_id, position, digest),
  CONSTRAINT fk_kept_digests_group_id_position_kept_objects FOREIGN KEY(group_id, position) REFERENCES trust.kept_objects (group_id, position)
);

CREATE TABLE trust.kept_damages (
  group_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  digest TEXT NOT NULL,
  reason TEXT NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_kept_damages PRIMARY KEY (group_id, position, digest),
  CONSTRAINT fk_kept_damages_group_id_position_kept_objects FOREIGN KEY(group_id, position) REFERENCES trust.kept_objects (group_id, position)
);

GRANT SELECT, INSERT ON trust.kept_objects TO yinxin_service;

GRANT SELECT ON trust.kept_objects TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.kept_objects FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.kept_objects FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.evidence_batches TO yinxin_service;

GRANT SELECT ON trust.evidence_batches TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.evidence_batches FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.evidence_batches FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.evidence_members TO yinxin_service;

GRANT SELECT ON trust.evidence_members TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.evidence_members FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.evidence_members FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.evidence_stages TO yinxin_service;

GRANT SELECT ON trust.evidence_stages TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.evidence_stages FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.evidence_stages FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.kept_releases TO yinxin_service;

GRANT SELECT ON trust.kept_releases TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.kept_releases FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.kept_releases FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.kept_digests TO yinxin_service;

GRANT SELECT ON trust.kept_digests TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.kept_digests FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.kept_digests FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.kept_damages TO yinxin_service;

GRANT SELECT ON trust.kept_damages TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.kept_damages FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.kept_damages FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

-- Packages that were archived before evidence was kept: the next runs of the worker give them theirs.
INSERT INTO trust.kept_objects (group_id, position, object_key, object_version, size, sha256, agency_id, at)
  SELECT o.record_id, 0, o.package_key, o.package_version, o.package_size, o.package_sha256, r.agency_id, o.at
  FROM archive.record_outcomes o JOIN archive.records r ON r.id = o.record_id
  WHERE o.outcome = 'registered';
