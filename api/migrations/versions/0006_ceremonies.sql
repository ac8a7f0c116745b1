-- What each authority issues is a fact from now on: the authorities there are have issued this until here.
CREATE TABLE trust.issuing_permissions (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  key_id TEXT NOT NULL,
  profiles TEXT[] NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_issuing_permissions PRIMARY KEY (position)
);

CREATE INDEX ix_issuing_permissions_key_id_position ON trust.issuing_permissions (key_id, position);

GRANT SELECT, INSERT ON trust.issuing_permissions TO yinxin_service;

GRANT SELECT ON trust.issuing_permissions TO yinxin_reader;

GRANT SELECT ON trust.issuing_permissions TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.issuing_permissions FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.issuing_permissions FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

CREATE TABLE trust.ceremony_logs (
  id TEXT NOT NULL,
  file_sha256 BYTEA NOT NULL,
  note TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_ceremony_logs PRIMARY KEY (id)
);

GRANT SELECT, INSERT ON trust.ceremony_logs TO yinxin_service;

GRANT SELECT ON trust.ceremony_logs TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.ceremony_logs FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.ceremony_logs FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

CREATE TABLE trust.certificate_requests (
  id TEXT NOT NULL,
  label TEXT NOT NULL,
  key_id TEXT NOT NULL,
  profile TEXT NOT NULL,
  owner TEXT NOT NULL,
  agency TEXT,
  payload JSONB NOT NULL,
  csr BYTEA NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_certificate_requests PRIMARY KEY (id)
);

CREATE INDEX ix_certificate_requests_label_at ON trust.certificate_requests (label, at);

GRANT SELECT, INSERT ON trust.certificate_requests TO yinxin_service;

GRANT SELECT ON trust.certificate_requests TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.certificate_requests FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.certificate_requests FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

CREATE TABLE trust.imported_certificates (
  request_id TEXT NOT NULL,
  certificate BYTEA NOT NULL,
  chain BYTEA[] NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_imported_certificates PRIMARY KEY (request_id)
);

GRANT SELECT, INSERT ON trust.imported_certificates TO yinxin_service;

GRANT SELECT ON trust.imported_certificates TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.imported_certificates FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.imported_certificates FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

CREATE TABLE trust.external_anchors (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  fingerprint TEXT NOT NULL,
  certificate BYTEA NOT NULL,
  purposes TEXT[] NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_external_anchors PRIMARY KEY (position)
);

CREATE INDEX ix_external_anchors_fingerprint_position ON trust.external_anchors (fingerprint, position);

GRANT SELECT, INSERT ON trust.external_anchors TO yinxin_service;

GRANT SELECT ON trust.external_anchors TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.external_anchors FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.external_anchors FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

INSERT INTO trust.issuing_permissions (key_id, profiles, at)
SELECT newest.key_id, known.profiles, newest.at
  FROM (VALUES
    ('authority/root', ARRAY['cross', 'issuing-authority', 'ocsp']),
    ('authority/identity', ARRAY['application', 'citizen', 'legal-person', 'ocsp', 'organisation', 'staff']),
    ('authority/seals', ARRAY['licence', 'ocsp', 'seal']),
    ('authority/service', ARRAY['ledger', 'ocsp', 'service', 'timestamp'])
  ) AS known (label, profiles)
  JOIN LATERAL (
    SELECT key_id, at FROM trust.key_bindings WHERE key_bindings.label = known.label ORDER BY position DESC LIMIT 1
  ) AS newest ON true;

CREATE TABLE seals.seal_renewals (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  seal_id TEXT NOT NULL,
  certificate BYTEA NOT NULL,
  serial TEXT NOT NULL,
  binding BYTEA NOT NULL,
  valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_renewals PRIMARY KEY (position),
  CONSTRAINT fk_seal_renewals_seal_id_seals FOREIGN KEY(seal_id) REFERENCES seals.seals (id)
);

CREATE INDEX ix_seal_renewals_seal_id_position ON seals.seal_renewals (seal_id, position);

GRANT SELECT, INSERT ON seals.seal_renewals TO yinxin_service;

GRANT SELECT ON seals.seal_renewals TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_renewals FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_renewals FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

