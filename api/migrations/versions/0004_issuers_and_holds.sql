-- What was issued, intended and revoked says from now on by which key: until here each authority had one, and every
-- certificate's intent names it. The rows are facts; only the owner, here, may complete them.
ALTER TABLE trust.certificate_intents DISABLE TRIGGER facts_only;
ALTER TABLE trust.certificates DISABLE TRIGGER facts_only;
ALTER TABLE trust.revocations DISABLE TRIGGER facts_only;
ALTER TABLE trust.crls DISABLE TRIGGER facts_only;

CREATE FUNCTION pg_temp.issuer_key(wanted text, of_authority text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT key_id FROM trust.intents WHERE subject = 'certificate/' || wanted ORDER BY position DESC LIMIT 1),
    (SELECT key_id FROM trust.key_bindings WHERE label = 'authority/' || of_authority ORDER BY position DESC LIMIT 1)
  )
$$;

ALTER TABLE trust.certificate_intents ADD COLUMN issuer_key TEXT;
UPDATE trust.certificate_intents SET issuer_key = pg_temp.issuer_key(serial, authority);
ALTER TABLE trust.certificate_intents ALTER COLUMN issuer_key SET NOT NULL;

ALTER TABLE trust.certificates ADD COLUMN issuer_key TEXT;
UPDATE trust.certificates SET issuer_key = pg_temp.issuer_key(serial, authority);
ALTER TABLE trust.certificates ALTER COLUMN issuer_key SET NOT NULL;
CREATE INDEX ix_certificates_issuer_key_not_after ON trust.certificates (issuer_key, not_after);

-- Revocations become one kind of the acts upon a certificate.
ALTER TABLE trust.revocations RENAME TO revocation_acts;
ALTER TABLE trust.revocation_acts RENAME CONSTRAINT pk_revocations TO pk_revocation_acts;
ALTER TABLE trust.revocation_acts ADD COLUMN step INTEGER DEFAULT 1 NOT NULL;
ALTER TABLE trust.revocation_acts ALTER COLUMN step DROP DEFAULT;
ALTER TABLE trust.revocation_acts ADD COLUMN act TEXT DEFAULT 'revoke' NOT NULL;
ALTER TABLE trust.revocation_acts ALTER COLUMN act DROP DEFAULT;
ALTER TABLE trust.revocation_acts ADD COLUMN issuer_key TEXT;
UPDATE trust.revocation_acts SET issuer_key = pg_temp.issuer_key(serial, authority);
ALTER TABLE trust.revocation_acts ALTER COLUMN issuer_key SET NOT NULL;
ALTER TABLE trust.revocation_acts DROP CONSTRAINT pk_revocation_acts;
ALTER TABLE trust.revocation_acts
  ADD CONSTRAINT pk_revocation_acts PRIMARY KEY (serial, step),
  ADD CONSTRAINT ck_revocation_acts_act_known CHECK (act IN ('hold', 'release', 'revoke'));
DROP INDEX trust.ix_revocations_authority;
CREATE INDEX ix_revocation_acts_issuer_key ON trust.revocation_acts (issuer_key);
CREATE UNIQUE INDEX uq_revocation_acts_revoked_once ON trust.revocation_acts (serial) WHERE act = 'revoke';

-- CRLs are numbered by the key that signs them. What the old ones take in is not known: -1 has a new one published.
ALTER TABLE trust.crls ADD COLUMN issuer_key TEXT;
UPDATE trust.crls SET issuer_key = pg_temp.issuer_key('', authority);
ALTER TABLE trust.crls ALTER COLUMN issuer_key SET NOT NULL;
ALTER TABLE trust.crls ADD COLUMN acts BIGINT DEFAULT -1 NOT NULL;
ALTER TABLE trust.crls ALTER COLUMN acts DROP DEFAULT;
ALTER TABLE trust.crls DROP CONSTRAINT pk_crls;
ALTER TABLE trust.crls ADD CONSTRAINT pk_crls PRIMARY KEY (issuer_key, number);
ALTER TABLE trust.crls DROP COLUMN authority;

DROP FUNCTION pg_temp.issuer_key(text, text);
ALTER TABLE trust.certificate_intents ENABLE TRIGGER facts_only;
ALTER TABLE trust.certificates ENABLE TRIGGER facts_only;
ALTER TABLE trust.revocation_acts ENABLE TRIGGER facts_only;
ALTER TABLE trust.crls ENABLE TRIGGER facts_only;
