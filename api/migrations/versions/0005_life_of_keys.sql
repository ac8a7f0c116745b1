-- Keys that are there lie in the database, are active and unlimited. How often they were used nobody counted: their
-- counters begin here. Under which key-encryption key they are is found when they are next wrapped (`yinxin keys rewrap`).
ALTER TABLE trust.keys
  ALTER COLUMN wrapped DROP NOT NULL,
  ADD COLUMN store TEXT DEFAULT 'software' NOT NULL,
  ADD COLUMN wrapped_under TEXT,
  ADD COLUMN state TEXT DEFAULT 'active' NOT NULL,
  ADD COLUMN uses BIGINT DEFAULT '0' NOT NULL,
  ADD COLUMN max_uses BIGINT,
  ADD COLUMN usable_until TIMESTAMP WITH TIME ZONE,
  ADD COLUMN last_used_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN destroyed_at TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT ck_keys_state CHECK (state IN ('active', 'suspended', 'retired', 'destroyed')),
  ADD CONSTRAINT ck_keys_wrapped_while_there CHECK (
    (wrapped IS NOT NULL) = (store = 'software' AND state <> 'destroyed'));

-- The counter is written with every call, so a page keeps room for the row's next version beside it.
ALTER TABLE trust.keys SET (fillfactor = 50);

GRANT UPDATE (wrapped, wrapped_under, state, uses, max_uses, usable_until, last_used_at, destroyed_at)
  ON trust.keys TO yinxin_signer;

CREATE TABLE trust.signer_journal (
  chain TEXT NOT NULL,
  number BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  operation TEXT NOT NULL,
  key_id TEXT NOT NULL,
  count BIGINT NOT NULL,
  subject TEXT NOT NULL,
  intended BYTEA NOT NULL,
  signed BYTEA NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  previous BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  CONSTRAINT pk_signer_journal PRIMARY KEY (chain, number)
);

CREATE INDEX ix_signer_journal_subject ON trust.signer_journal (subject) WHERE subject <> '';

CREATE INDEX ix_signer_journal_key_id ON trust.signer_journal (key_id) WHERE outcome <> 'signed';

CREATE TABLE trust.journal_start (
  intents_before BIGINT NOT NULL,
  CONSTRAINT pk_journal_start PRIMARY KEY (intents_before)
);

-- What was signed until now has no row of the journal; the comparison begins after it.
INSERT INTO trust.journal_start SELECT coalesce(max(position), 0) FROM trust.intents;

CREATE TABLE trust.key_orders (
  order_id TEXT NOT NULL,
  key_id TEXT NOT NULL,
  act TEXT NOT NULL,
  max_uses BIGINT,
  usable_until TIMESTAMP WITH TIME ZONE,
  agency TEXT,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_key_orders PRIMARY KEY (order_id)
);

CREATE INDEX ix_key_orders_key_id ON trust.key_orders (key_id);

CREATE TABLE trust.key_order_outcomes (
  order_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  statement JSONB NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_key_order_outcomes PRIMARY KEY (order_id),
  CONSTRAINT fk_key_order_outcomes_order_id_key_orders FOREIGN KEY(order_id) REFERENCES trust.key_orders (order_id)
);

CREATE TABLE trust.journal_notices (
  chain TEXT NOT NULL,
  number BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_journal_notices PRIMARY KEY (chain, number)
);

GRANT SELECT ON trust.signer_journal TO yinxin_service;

GRANT SELECT ON trust.signer_journal TO yinxin_reader;

GRANT SELECT ON trust.signer_journal TO yinxin_signer;

GRANT INSERT ON trust.signer_journal TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.signer_journal FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.signer_journal FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.key_orders TO yinxin_service;

GRANT SELECT ON trust.key_orders TO yinxin_reader;

GRANT SELECT ON trust.key_orders TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.key_orders FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.key_orders FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.key_order_outcomes TO yinxin_service;

GRANT SELECT ON trust.key_order_outcomes TO yinxin_reader;

GRANT SELECT ON trust.key_order_outcomes TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.key_order_outcomes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.key_order_outcomes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.journal_notices TO yinxin_service;

GRANT SELECT ON trust.journal_notices TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.journal_notices FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.journal_notices FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.journal_start TO yinxin_service;

GRANT SELECT ON trust.journal_start TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.journal_start FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.journal_start FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
