-- What an event says of a person is erased by the order of one and the confirmation of another.

CREATE TABLE ledger.erasure_orders (
  id TEXT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  agency TEXT,
  reason TEXT NOT NULL,
  by_account TEXT NOT NULL,
  ordered_event_id TEXT COLLATE "C" NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_erasure_orders PRIMARY KEY (id),
  CONSTRAINT fk_erasure_orders_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id),
  CONSTRAINT fk_erasure_orders_ordered_event_id_events FOREIGN KEY(ordered_event_id) REFERENCES ledger.events (event_id)
);

CREATE INDEX ix_erasure_orders_agency_id ON ledger.erasure_orders (agency, id);

CREATE TABLE ledger.erasure_confirmations (
  order_id TEXT NOT NULL,
  erased_event_id TEXT COLLATE "C" NOT NULL,
  by_account TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_erasure_confirmations PRIMARY KEY (order_id),
  CONSTRAINT fk_erasure_confirmations_order_id_erasure_orders FOREIGN KEY(order_id) REFERENCES ledger.erasure_orders (id),
  CONSTRAINT fk_erasure_confirmations_erased_event_id_events FOREIGN KEY(erased_event_id) REFERENCES ledger.events (event_id)
);

GRANT SELECT, INSERT ON ledger.erasure_orders TO yinxin_service;

GRANT SELECT ON ledger.erasure_orders TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.erasure_orders FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.erasure_orders FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.erasure_confirmations TO yinxin_service;

GRANT SELECT ON ledger.erasure_confirmations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.erasure_confirmations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.erasure_confirmations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
