-- Supervision: who supervises, what is searched by, alerts and exports.

ALTER TABLE identity.staff DROP CONSTRAINT ck_staff_platform_administrators_belong_to_no_agency;

ALTER TABLE identity.staff ADD CONSTRAINT ck_staff_platform_roles_belong_to_no_agency CHECK ((agency_id IS NULL) = (roles && ARRAY['platform-administrator', 'supervisor']));

ALTER TABLE identity.staff ADD CONSTRAINT ck_staff_supervisors_hold_no_other_role CHECK (NOT (roles && ARRAY['supervisor']) OR cardinality(roles) = 1);

CREATE TABLE ledger.alert_positions (
	rule TEXT NOT NULL,
	rule_digest BYTEA NOT NULL,
	next_index BIGINT NOT NULL,
	alerts_from BIGINT NOT NULL,
	CONSTRAINT pk_alert_positions PRIMARY KEY (rule, rule_digest)
);

CREATE TABLE ledger.alert_memory (
	rule TEXT NOT NULL,
	rule_digest BYTEA NOT NULL,
	key TEXT NOT NULL,
	memory JSONB NOT NULL,
	forget_at TIMESTAMP WITH TIME ZONE,
	CONSTRAINT pk_alert_memory PRIMARY KEY (rule, rule_digest, key)
);

CREATE INDEX ix_alert_memory_forget_at ON ledger.alert_memory (forget_at) WHERE forget_at IS NOT NULL;

CREATE TABLE ledger.alerts (
	id TEXT NOT NULL,
	rule TEXT NOT NULL,
	rule_digest BYTEA NOT NULL,
	kind TEXT NOT NULL,
	severity TEXT NOT NULL,
	key TEXT NOT NULL,
	stretch TEXT NOT NULL,
	event_id TEXT COLLATE "C" NOT NULL,
	agency TEXT,
	actor_id TEXT NOT NULL,
	facts JSONB NOT NULL,
	raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_alerts PRIMARY KEY (id),
	CONSTRAINT uq_alerts_said_once UNIQUE (rule, rule_digest, key, stretch),
	CONSTRAINT fk_alerts_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id)
);

CREATE INDEX ix_alerts_agency_id ON ledger.alerts (agency, id);

CREATE TABLE ledger.alert_acknowledgements (
	alert_id TEXT NOT NULL,
	event_id TEXT COLLATE "C" NOT NULL,
	by_account TEXT NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_alert_acknowledgements PRIMARY KEY (alert_id),
	CONSTRAINT fk_alert_acknowledgements_alert_id_alerts FOREIGN KEY(alert_id) REFERENCES ledger.alerts (id),
	CONSTRAINT fk_alert_acknowledgements_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id)
);

CREATE TABLE ledger.exports (
	id TEXT NOT NULL,
	agency TEXT,
	by_account TEXT NOT NULL,
	by_kind TEXT NOT NULL,
	query JSONB NOT NULL,
	event_id TEXT COLLATE "C" NOT NULL,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_exports PRIMARY KEY (id),
	CONSTRAINT fk_exports_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id)
);

CREATE TABLE ledger.export_outcomes (
	export_id TEXT NOT NULL,
	failed TEXT,
	object_key TEXT,
	object_version TEXT,
	sha256 BYTEA,
	octets BIGINT,
	events BIGINT,
	tree_size BIGINT,
	at TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_export_outcomes PRIMARY KEY (export_id),
	CONSTRAINT fk_export_outcomes_export_id_exports FOREIGN KEY(export_id) REFERENCES ledger.exports (id)
);

CREATE TABLE ledger.export_progress (
	export_id TEXT NOT NULL,
	done BIGINT NOT NULL,
	total BIGINT NOT NULL,
	lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
	CONSTRAINT pk_export_progress PRIMARY KEY (export_id),
	CONSTRAINT fk_export_progress_export_id_exports FOREIGN KEY(export_id) REFERENCES ledger.exports (id)
);

CREATE TABLE ledger.attempts (
	act TEXT NOT NULL,
	network TEXT NOT NULL,
	since TIMESTAMP WITH TIME ZONE NOT NULL,
	reason TEXT NOT NULL,
	count INTEGER NOT NULL,
	told INTEGER NOT NULL,
	CONSTRAINT pk_attempts PRIMARY KEY (act, network, since)
);

CREATE INDEX ix_event_contents_content ON ledger.event_contents USING gin (content);

CREATE INDEX ix_events_act_at_event_id ON ledger.events (act text_pattern_ops, at, event_id);

CREATE INDEX ix_events_on_behalf_of_at_event_id ON ledger.events (on_behalf_of, at, event_id);

CREATE INDEX ix_events_refused ON ledger.events (at, event_id) WHERE outcome = 'refused';

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.alert_positions TO yinxin_service;

GRANT SELECT ON ledger.alert_positions TO yinxin_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.alert_memory TO yinxin_service;

GRANT SELECT ON ledger.alert_memory TO yinxin_reader;

GRANT SELECT, INSERT ON ledger.alerts TO yinxin_service;

GRANT SELECT ON ledger.alerts TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.alerts FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.alerts FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.alert_acknowledgements TO yinxin_service;

GRANT SELECT ON ledger.alert_acknowledgements TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.alert_acknowledgements FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.alert_acknowledgements FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.exports TO yinxin_service;

GRANT SELECT ON ledger.exports TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.exports FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.exports FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.export_outcomes TO yinxin_service;

GRANT SELECT ON ledger.export_outcomes TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.export_outcomes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.export_outcomes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.export_progress TO yinxin_service;

GRANT SELECT ON ledger.export_progress TO yinxin_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.attempts TO yinxin_service;

GRANT SELECT ON ledger.attempts TO yinxin_reader;
