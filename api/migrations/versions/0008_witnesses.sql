CREATE TABLE ledger.cosignatures (
  size BIGINT NOT NULL,
  cosigner TEXT NOT NULL,
  line TEXT NOT NULL,
  cosigned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_cosignatures PRIMARY KEY (size, cosigner),
  CONSTRAINT fk_cosignatures_size_checkpoints FOREIGN KEY (size) REFERENCES ledger.checkpoints (size)
);

CREATE TABLE ledger.disagreements (
  cosigner TEXT NOT NULL,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL,
  known_size BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_disagreements PRIMARY KEY (cosigner, kind, size, known_size),
  CONSTRAINT ck_disagreements_kind CHECK (kind IN ('larger-tree', 'other-tree'))
);

GRANT SELECT, INSERT ON ledger.cosignatures, ledger.disagreements TO yinxin_service;
GRANT SELECT ON ledger.cosignatures, ledger.disagreements TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.cosignatures FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();
CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.cosignatures FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.disagreements FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();
CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.disagreements FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
