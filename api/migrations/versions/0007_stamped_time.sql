CREATE TABLE trust.stamping_marks (
  era BIGINT GENERATED ALWAYS AS IDENTITY,
  highest TIMESTAMP WITH TIME ZONE NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_stamping_marks PRIMARY KEY (era)
);

CREATE TABLE trust.stamping_clock_changes (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  state TEXT NOT NULL,
  clock_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expected_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_stamping_clock_changes PRIMARY KEY (position)
);

CREATE TABLE trust.stamping_clock_reports (
  position BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_stamping_clock_reports PRIMARY KEY (position)
);

-- The latest time stamped rises and never falls, whoever asks.
CREATE FUNCTION trust.refuse_falling_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR NEW.era <> OLD.era OR NEW.opened_at <> OLD.opened_at OR NEW.highest < OLD.highest THEN
    RAISE EXCEPTION 'the latest time stamped rises and never falls'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER mark_rises BEFORE UPDATE OR DELETE ON trust.stamping_marks FOR EACH ROW EXECUTE FUNCTION trust.refuse_falling_mark();

CREATE TRIGGER mark_kept BEFORE TRUNCATE ON trust.stamping_marks FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_falling_mark();

GRANT SELECT, INSERT ON trust.stamping_marks TO yinxin_signer;

GRANT UPDATE (highest) ON trust.stamping_marks TO yinxin_signer;

GRANT SELECT, INSERT ON trust.stamping_clock_changes TO yinxin_signer;

GRANT SELECT, INSERT ON trust.stamping_clock_reports TO yinxin_service;

GRANT SELECT ON trust.stamping_clock_reports TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.stamping_clock_reports FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.stamping_clock_reports FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
