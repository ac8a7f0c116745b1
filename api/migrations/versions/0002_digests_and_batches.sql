-- Digests only where a seal approver has said so: nobody here sees what they stand for.
ALTER TABLE seals.seal_authorisations ADD COLUMN allows_digests BOOLEAN DEFAULT false NOT NULL;

CREATE TABLE seals.seal_batches (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  refused JSONB NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_batches PRIMARY KEY (id)
);

CREATE INDEX ix_seal_batches_agency_id ON seals.seal_batches (agency_id);

ALTER TABLE seals.seal_uses
  ALTER COLUMN original_key DROP NOT NULL,
  ALTER COLUMN original_version DROP NOT NULL,
  ALTER COLUMN original_sha256 DROP NOT NULL,
  ALTER COLUMN output_key DROP NOT NULL,
  ADD COLUMN kind TEXT DEFAULT 'document' NOT NULL,
  ADD COLUMN digest BYTEA,
  ADD COLUMN when_timestamp_away TEXT DEFAULT 'fail' NOT NULL,
  ADD COLUMN batch_id TEXT,
  ADD COLUMN batch_position INTEGER,
  ADD CONSTRAINT fk_seal_uses_batch_id_seal_batches FOREIGN KEY (batch_id) REFERENCES seals.seal_batches (id),
  ADD CONSTRAINT ck_seal_uses_document_or_digest CHECK (
    CASE WHEN kind = 'document'
      THEN digest IS NULL AND num_nulls(original_key, original_version, original_sha256, output_key) = 0
      ELSE digest IS NOT NULL AND num_nonnulls(original_key, original_version, original_sha256, output_key) = 0
    END),
  ADD CONSTRAINT ck_seal_uses_place_in_batch CHECK ((batch_id IS NULL) = (batch_position IS NULL));

CREATE UNIQUE INDEX ix_seal_uses_batch_id_batch_position ON seals.seal_uses (batch_id, batch_position);

-- The level that was reached, where it is below the one wanted.
ALTER TABLE seals.seal_use_outcomes ADD COLUMN level TEXT;

CREATE INDEX ix_seal_use_outcomes_below ON seals.seal_use_outcomes (use_id) WHERE level IS NOT NULL;

CREATE TABLE seals.seal_use_signatures (
  use_id TEXT NOT NULL,
  signature BYTEA NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_use_signatures PRIMARY KEY (use_id),
  CONSTRAINT fk_seal_use_signatures_use_id_seal_uses FOREIGN KEY(use_id) REFERENCES seals.seal_uses (id)
);

CREATE TABLE seals.seal_use_stampings (
  use_id TEXT NOT NULL,
  output_key TEXT NOT NULL,
  output_version TEXT NOT NULL,
  output_sha256 BYTEA NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_use_stampings PRIMARY KEY (use_id),
  CONSTRAINT fk_seal_use_stampings_use_id_seal_uses FOREIGN KEY(use_id) REFERENCES seals.seal_uses (id)
);

CREATE TABLE seals.signature_activations (
  token_digest BYTEA NOT NULL,
  agency_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  authorisation_id TEXT NOT NULL,
  hashes BYTEA NOT NULL,
  hash_count INTEGER NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_signature_activations PRIMARY KEY (token_digest),
  CONSTRAINT fk_signature_activations_authorisation_id_seal_authorisations FOREIGN KEY(authorisation_id) REFERENCES seals.seal_authorisations (id)
);

CREATE INDEX ix_signature_activations_expires_at ON seals.signature_activations (expires_at);

GRANT SELECT, INSERT ON seals.seal_batches TO yinxin_service;

GRANT SELECT ON seals.seal_batches TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_batches FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_batches FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON seals.seal_use_signatures TO yinxin_service;

GRANT SELECT ON seals.seal_use_signatures TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_use_signatures FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_use_signatures FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON seals.seal_use_stampings TO yinxin_service;

GRANT SELECT ON seals.seal_use_stampings TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_use_stampings FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_use_stampings FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, DELETE ON seals.signature_activations TO yinxin_service;
