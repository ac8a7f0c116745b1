-- The house's first schema, as it was; later changes are migrations of their own.

CREATE TABLE archive.fonds (
  agency_id TEXT NOT NULL,
  code TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_fonds PRIMARY KEY (agency_id),
  CONSTRAINT uq_fonds_code UNIQUE (code)
);

CREATE TABLE archive.item_numbers (
  agency_id TEXT NOT NULL,
  series TEXT NOT NULL,
  last INTEGER NOT NULL,
  CONSTRAINT pk_item_numbers PRIMARY KEY (agency_id, series)
);

CREATE TABLE identity.agencies (
  id TEXT NOT NULL,
  uscc TEXT NOT NULL,
  code TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by TEXT NOT NULL,
  CONSTRAINT pk_agencies PRIMARY KEY (id),
  CONSTRAINT uq_agencies_uscc UNIQUE (uscc),
  CONSTRAINT uq_agencies_code UNIQUE (code)
);

CREATE TABLE identity.attempts (
  gate TEXT NOT NULL,
  key BYTEA NOT NULL,
  failures INTEGER NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_until TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_attempts PRIMARY KEY (gate, key)
);

CREATE INDEX ix_attempts_last_at ON identity.attempts (last_at);

CREATE TABLE identity.credentials (
  account_id TEXT NOT NULL,
  username TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_credentials PRIMARY KEY (account_id),
  CONSTRAINT uq_credentials_username UNIQUE (username)
);

CREATE TABLE identity.familiar_addresses (
  account_key BYTEA NOT NULL,
  address_key BYTEA NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_familiar_addresses PRIMARY KEY (account_key, address_key)
);

CREATE INDEX ix_familiar_addresses_last_at ON identity.familiar_addresses (last_at);

CREATE TABLE identity.organisations (
  id TEXT NOT NULL,
  uscc TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  assurance_level SMALLINT NOT NULL,
  registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  registered_by TEXT NOT NULL,
  CONSTRAINT pk_organisations PRIMARY KEY (id),
  CONSTRAINT uq_organisations_uscc UNIQUE (uscc)
);

CREATE TABLE identity.people (
  id TEXT NOT NULL,
  number_index BYTEA NOT NULL,
  sealed_number BYTEA NOT NULL,
  known_since TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_people PRIMARY KEY (id),
  CONSTRAINT uq_people_number_index UNIQUE (number_index)
);

CREATE TABLE ledger.checkpoints (
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_checkpoints PRIMARY KEY (size)
);

CREATE TABLE ledger.events (
  event_id TEXT COLLATE "C" NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  act TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  on_behalf_of TEXT,
  subject TEXT NOT NULL,
  agency TEXT,
  outcome TEXT NOT NULL,
  reason TEXT,
  content_commitment BYTEA NOT NULL,
  leaf_hash BYTEA NOT NULL,
  latest_inclusion TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_events PRIMARY KEY (event_id),
  CONSTRAINT ck_events_outcome CHECK (outcome IN ('done', 'refused')),
  CONSTRAINT ck_events_leaf_hash CHECK (octet_length(leaf_hash) = 32)
);

CREATE INDEX ix_events_actor_id_at_event_id ON ledger.events (actor_id, at, event_id);

CREATE INDEX ix_events_agency_at_event_id ON ledger.events (agency, at, event_id);

CREATE INDEX ix_events_at_event_id ON ledger.events (at, event_id);

CREATE INDEX ix_events_subject_at_event_id ON ledger.events (subject, at, event_id);

CREATE TABLE ledger.head (
  single SMALLINT NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  CONSTRAINT pk_head PRIMARY KEY (single),
  CONSTRAINT ck_head_single CHECK (single = 1)
);

CREATE TABLE ledger.waiting (
  event_id TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_waiting PRIMARY KEY (event_id)
);

CREATE TABLE licences.licences (
  licence_id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  type_code TEXT NOT NULL,
  issuer_code TEXT NOT NULL,
  serial TEXT NOT NULL,
  holder_kind TEXT NOT NULL,
  holder_index BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_licences PRIMARY KEY (licence_id),
  CONSTRAINT uq_licences_type_code_issuer_code_serial UNIQUE (type_code, issuer_code, serial)
);

CREATE INDEX ix_licences_agency_id_licence_id ON licences.licences (agency_id, licence_id);

CREATE INDEX ix_licences_holder_index_licence_id ON licences.licences (holder_index, licence_id);

CREATE TABLE licences.number_counters (
  agency_id TEXT NOT NULL,
  type_code TEXT NOT NULL,
  year INTEGER NOT NULL,
  last INTEGER NOT NULL,
  CONSTRAINT pk_number_counters PRIMARY KEY (agency_id, type_code, year)
);

CREATE TABLE licences.redemptions (
  presentation_id TEXT NOT NULL,
  redemption_id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_redemptions PRIMARY KEY (presentation_id),
  CONSTRAINT uq_redemptions_redemption_id UNIQUE (redemption_id)
);

CREATE TABLE licences.status_lists (
  list_id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_status_lists PRIMARY KEY (list_id)
);

CREATE INDEX ix_status_lists_agency_id_list_id ON licences.status_lists (agency_id, list_id);

CREATE TABLE seals.seal_requests (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  impression_png BYTEA NOT NULL,
  impression_sha256 BYTEA NOT NULL,
  width_mm INTEGER NOT NULL,
  height_mm INTEGER NOT NULL,
  state TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  lease_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_seal_requests PRIMARY KEY (id),
  CONSTRAINT ck_seal_requests_two_persons CHECK (decided_by IS NULL OR decided_by <> requested_by)
);

CREATE INDEX ix_seal_requests_agency_id ON seals.seal_requests (agency_id);

CREATE TABLE trust.certificate_intents (
  serial TEXT NOT NULL,
  authority TEXT NOT NULL,
  owner TEXT NOT NULL,
  agency TEXT,
  payload JSONB NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_certificate_intents PRIMARY KEY (serial)
);

CREATE TABLE trust.certificates (
  serial TEXT NOT NULL,
  authority TEXT NOT NULL,
  profile TEXT NOT NULL,
  owner TEXT NOT NULL,
  agency TEXT,
  certificate BYTEA NOT NULL,
  not_before TIMESTAMP WITH TIME ZONE NOT NULL,
  not_after TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_certificates PRIMARY KEY (serial)
);

CREATE INDEX ix_certificates_owner_serial ON trust.certificates (owner, serial);

CREATE TABLE trust.crls (
  authority TEXT NOT NULL,
  number BIGINT NOT NULL,
  crl BYTEA NOT NULL,
  this_update TIMESTAMP WITH TIME ZONE NOT NULL,
  next_update TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_crls PRIMARY KEY (authority, number)
);

CREATE TABLE trust.idempotency_keys (
  caller TEXT NOT NULL,
  act TEXT NOT NULL,
  key TEXT NOT NULL,
  body_digest BYTEA NOT NULL,
  subject TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, act, key)
);

CREATE TABLE trust.intent_outcomes (
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_intent_outcomes PRIMARY KEY (subject)
);

CREATE TABLE trust.intents (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  subject TEXT NOT NULL,
  key_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  digest BYTEA NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_intents PRIMARY KEY (position)
);

CREATE INDEX ix_intents_subject_position ON trust.intents (subject, position);

CREATE TABLE trust.key_bindings (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  key_id TEXT NOT NULL,
  label TEXT NOT NULL,
  purpose TEXT NOT NULL,
  suite TEXT NOT NULL,
  spki BYTEA NOT NULL,
  certificate BYTEA,
  chain BYTEA[] NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_key_bindings PRIMARY KEY (position)
);

CREATE INDEX ix_key_bindings_key_id ON trust.key_bindings (key_id);

CREATE INDEX ix_key_bindings_label_position ON trust.key_bindings (label, position);

CREATE TABLE trust.keys (
  key_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  suite TEXT NOT NULL,
  spki BYTEA NOT NULL,
  wrapped BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_keys PRIMARY KEY (key_id)
);

CREATE TABLE trust.revocations (
  serial TEXT NOT NULL,
  authority TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_revocations PRIMARY KEY (serial)
);

CREATE INDEX ix_revocations_authority ON trust.revocations (authority);

CREATE TABLE archive.archive_classes (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  code TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  retention TEXT NOT NULL,
  office TEXT NOT NULL,
  open_to_reuse BOOLEAN NOT NULL,
  defined_by TEXT NOT NULL,
  defined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_archive_classes PRIMARY KEY (id),
  CONSTRAINT uq_archive_classes_agency_id_code UNIQUE (agency_id, code),
  CONSTRAINT fk_archive_classes_agency_id_fonds FOREIGN KEY(agency_id) REFERENCES archive.fonds (agency_id)
);

CREATE TABLE identity.applications (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  name TEXT NOT NULL,
  public_jwk JSONB NOT NULL,
  key_thumbprint TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  registered_by TEXT NOT NULL,
  CONSTRAINT pk_applications PRIMARY KEY (id),
  CONSTRAINT fk_applications_agency_id_agencies FOREIGN KEY(agency_id) REFERENCES identity.agencies (id),
  CONSTRAINT uq_applications_key_thumbprint UNIQUE (key_thumbprint)
);

CREATE INDEX ix_applications_agency_id ON identity.applications (agency_id);

CREATE TABLE identity.certificate_requests (
  id TEXT NOT NULL,
  owner TEXT NOT NULL,
  agency_id TEXT,
  profile TEXT NOT NULL,
  csr_digest BYTEA NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  by TEXT NOT NULL,
  CONSTRAINT pk_certificate_requests PRIMARY KEY (id),
  CONSTRAINT fk_certificate_requests_agency_id_agencies FOREIGN KEY(agency_id) REFERENCES identity.agencies (id)
);

CREATE TABLE identity.citizens (
  id TEXT NOT NULL,
  person_id TEXT NOT NULL,
  name TEXT NOT NULL,
  masked_number TEXT NOT NULL,
  assurance_level SMALLINT NOT NULL,
  registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_citizens PRIMARY KEY (id),
  CONSTRAINT uq_citizens_person_id UNIQUE (person_id),
  CONSTRAINT fk_citizens_person_id_people FOREIGN KEY(person_id) REFERENCES identity.people (id)
);

CREATE TABLE identity.service_items (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  code TEXT NOT NULL,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by TEXT NOT NULL,
  CONSTRAINT pk_service_items PRIMARY KEY (id),
  CONSTRAINT uq_service_items_agency_id_code UNIQUE (agency_id, code),
  CONSTRAINT fk_service_items_agency_id_agencies FOREIGN KEY(agency_id) REFERENCES identity.agencies (id)
);

CREATE TABLE identity.sessions (
  id TEXT NOT NULL,
  token_digest BYTEA NOT NULL,
  account_id TEXT NOT NULL,
  organisation_id TEXT,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT uq_sessions_token_digest UNIQUE (token_digest),
  CONSTRAINT fk_sessions_organisation_id_organisations FOREIGN KEY(organisation_id) REFERENCES identity.organisations (id)
);

CREATE INDEX ix_sessions_expires_at ON identity.sessions (expires_at);

CREATE TABLE identity.staff (
  id TEXT NOT NULL,
  agency_id TEXT,
  person_id TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT[] NOT NULL,
  state TEXT NOT NULL,
  invited_at TIMESTAMP WITH TIME ZONE NOT NULL,
  invited_by TEXT NOT NULL,
  deactivated_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_administrators_hold_no_seal_role CHECK (NOT (roles && ARRAY['platform-administrator', 'agency-administrator'] AND roles && ARRAY['seal-officer', 'seal-approver'])),
  CONSTRAINT ck_staff_platform_administrators_belong_to_no_agency CHECK ((agency_id IS NULL) = (roles && ARRAY['platform-administrator'])),
  CONSTRAINT fk_staff_agency_id_agencies FOREIGN KEY(agency_id) REFERENCES identity.agencies (id),
  CONSTRAINT fk_staff_person_id_people FOREIGN KEY(person_id) REFERENCES identity.people (id)
);

CREATE UNIQUE INDEX uq_staff_one_account_in_use ON identity.staff (agency_id, person_id) WHERE state != 'deactivated';

CREATE UNIQUE INDEX uq_staff_one_platform_account_in_use ON identity.staff (person_id) WHERE state != 'deactivated' AND agency_id IS NULL;

CREATE TABLE ledger.event_contents (
  event_id TEXT COLLATE "C" NOT NULL,
  salt BYTEA NOT NULL,
  content JSONB NOT NULL,
  CONSTRAINT pk_event_contents PRIMARY KEY (event_id),
  CONSTRAINT fk_event_contents_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id)
);

CREATE TABLE ledger.sequence (
  index BIGINT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_sequence PRIMARY KEY (index),
  CONSTRAINT uq_sequence_event_id UNIQUE (event_id),
  CONSTRAINT fk_sequence_event_id_events FOREIGN KEY(event_id) REFERENCES ledger.events (event_id)
);

CREATE TABLE licences.free_indexes (
  list_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  index INTEGER NOT NULL,
  CONSTRAINT pk_free_indexes PRIMARY KEY (list_id, place),
  CONSTRAINT fk_free_indexes_list_id_status_lists FOREIGN KEY(list_id) REFERENCES licences.status_lists (list_id)
);

CREATE TABLE licences.redemption_answers (
  redemption_id TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  CONSTRAINT pk_redemption_answers PRIMARY KEY (redemption_id),
  CONSTRAINT fk_redemption_answers_redemption_id_redemptions FOREIGN KEY(redemption_id) REFERENCES licences.redemptions (redemption_id)
);

CREATE TABLE licences.status_changes (
  list_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  index INTEGER NOT NULL,
  value SMALLINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_status_changes PRIMARY KEY (list_id, version),
  CONSTRAINT ck_status_changes_value CHECK (value BETWEEN 0 AND 2),
  CONSTRAINT fk_status_changes_list_id_status_lists FOREIGN KEY(list_id) REFERENCES licences.status_lists (list_id)
);

CREATE TABLE licences.versions (
  version_id TEXT NOT NULL,
  licence_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  identifier TEXT NOT NULL,
  replaces TEXT,
  masked_holder TEXT NOT NULL,
  status_list_id TEXT NOT NULL,
  status_index INTEGER NOT NULL,
  public_token TEXT NOT NULL,
  issued_on DATE NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE,
  item_code TEXT NOT NULL,
  case_number TEXT,
  key_id TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_versions PRIMARY KEY (version_id),
  CONSTRAINT uq_versions_licence_id_version UNIQUE (licence_id, version),
  CONSTRAINT uq_versions_status_list_id_status_index UNIQUE (status_list_id, status_index),
  CONSTRAINT fk_versions_licence_id_licences FOREIGN KEY(licence_id) REFERENCES licences.licences (licence_id),
  CONSTRAINT uq_versions_identifier UNIQUE (identifier),
  CONSTRAINT fk_versions_replaces_versions FOREIGN KEY(replaces) REFERENCES licences.versions (version_id),
  CONSTRAINT fk_versions_status_list_id_status_lists FOREIGN KEY(status_list_id) REFERENCES licences.status_lists (list_id),
  CONSTRAINT uq_versions_public_token UNIQUE (public_token)
);

CREATE TABLE seals.seals (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  certificate BYTEA NOT NULL,
  serial TEXT NOT NULL,
  impression_png BYTEA NOT NULL,
  impression_sha256 BYTEA NOT NULL,
  width_mm INTEGER NOT NULL,
  height_mm INTEGER NOT NULL,
  binding BYTEA NOT NULL,
  state TEXT NOT NULL,
  suspended_by TEXT,
  valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seals PRIMARY KEY (id),
  CONSTRAINT uq_seals_request_id UNIQUE (request_id),
  CONSTRAINT fk_seals_request_id_seal_requests FOREIGN KEY(request_id) REFERENCES seals.seal_requests (id),
  CONSTRAINT uq_seals_key_id UNIQUE (key_id)
);

CREATE INDEX ix_seals_agency_id ON seals.seals (agency_id);

CREATE TABLE archive.records (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  agency_name TEXT NOT NULL,
  archival_code TEXT NOT NULL,
  class_id TEXT NOT NULL,
  class_code TEXT NOT NULL,
  year INTEGER NOT NULL,
  title TEXT NOT NULL,
  case_number TEXT NOT NULL,
  item_code TEXT NOT NULL,
  event_date DATE NOT NULL,
  retain_until TIMESTAMP WITH TIME ZONE NOT NULL,
  application_id TEXT NOT NULL,
  manifest_sha256 BYTEA NOT NULL,
  submission_key TEXT NOT NULL,
  submission_version TEXT NOT NULL,
  submission_sha256 BYTEA NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
  intended_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_records PRIMARY KEY (id),
  CONSTRAINT uq_records_archival_code UNIQUE (archival_code),
  CONSTRAINT fk_records_class_id_archive_classes FOREIGN KEY(class_id) REFERENCES archive.archive_classes (id)
);

CREATE INDEX ix_records_agency_id_case_number ON archive.records (agency_id, case_number);

CREATE INDEX ix_records_agency_id_class_code_year ON archive.records (agency_id, class_code, year);

CREATE INDEX ix_records_lease_until ON archive.records (lease_until);

CREATE TABLE identity.access_tokens (
  token_digest BYTEA NOT NULL,
  application_id TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_access_tokens PRIMARY KEY (token_digest),
  CONSTRAINT fk_access_tokens_application_id_applications FOREIGN KEY(application_id) REFERENCES identity.applications (id)
);

CREATE INDEX ix_access_tokens_expires_at ON identity.access_tokens (expires_at);

CREATE TABLE identity.agents (
  id TEXT NOT NULL,
  organisation_id TEXT NOT NULL,
  citizen_id TEXT NOT NULL,
  valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE,
  may_authorise BOOLEAN NOT NULL,
  authorised_at TIMESTAMP WITH TIME ZONE NOT NULL,
  authorised_by TEXT NOT NULL,
  CONSTRAINT pk_agents PRIMARY KEY (id),
  CONSTRAINT fk_agents_organisation_id_organisations FOREIGN KEY(organisation_id) REFERENCES identity.organisations (id),
  CONSTRAINT fk_agents_citizen_id_citizens FOREIGN KEY(citizen_id) REFERENCES identity.citizens (id)
);

CREATE INDEX ix_agents_citizen_id ON identity.agents (citizen_id);

CREATE TABLE identity.application_revocations (
  application_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  by TEXT NOT NULL,
  CONSTRAINT pk_application_revocations PRIMARY KEY (application_id),
  CONSTRAINT fk_application_revocations_application_id_applications FOREIGN KEY(application_id) REFERENCES identity.applications (id)
);

CREATE TABLE identity.certificates (
  request_id TEXT NOT NULL,
  serial TEXT NOT NULL,
  profile TEXT NOT NULL,
  owner TEXT NOT NULL,
  agency_id TEXT,
  certificate BYTEA NOT NULL,
  chain BYTEA[] NOT NULL,
  not_before TIMESTAMP WITH TIME ZONE NOT NULL,
  not_after TIMESTAMP WITH TIME ZONE NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_certificates PRIMARY KEY (request_id),
  CONSTRAINT fk_certificates_request_id_certificate_requests FOREIGN KEY(request_id) REFERENCES identity.certificate_requests (id),
  CONSTRAINT uq_certificates_serial UNIQUE (serial),
  CONSTRAINT fk_certificates_agency_id_agencies FOREIGN KEY(agency_id) REFERENCES identity.agencies (id)
);

CREATE INDEX ix_certificates_agency_id ON identity.certificates (agency_id);

CREATE INDEX ix_certificates_owner ON identity.certificates (owner);

CREATE TABLE identity.enrolments (
  id TEXT NOT NULL,
  token_digest BYTEA NOT NULL,
  staff_id TEXT,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_enrolments PRIMARY KEY (id),
  CONSTRAINT uq_enrolments_token_digest UNIQUE (token_digest),
  CONSTRAINT fk_enrolments_staff_id_staff FOREIGN KEY(staff_id) REFERENCES identity.staff (id)
);

CREATE TABLE identity.spent_assertions (
  application_id TEXT NOT NULL,
  jti TEXT NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_spent_assertions PRIMARY KEY (application_id, jti),
  CONSTRAINT fk_spent_assertions_application_id_applications FOREIGN KEY(application_id) REFERENCES identity.applications (id)
);

CREATE INDEX ix_spent_assertions_expires_at ON identity.spent_assertions (expires_at);

CREATE TABLE licences.attempts (
  version_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_attempts PRIMARY KEY (version_id, attempt),
  CONSTRAINT fk_attempts_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.contents (
  version_id TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  CONSTRAINT pk_contents PRIMARY KEY (version_id),
  CONSTRAINT fk_contents_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.credentials (
  version_id TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  CONSTRAINT pk_credentials PRIMARY KEY (version_id),
  CONSTRAINT fk_credentials_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.issuing (
  version_id TEXT NOT NULL,
  CONSTRAINT pk_issuing PRIMARY KEY (version_id),
  CONSTRAINT fk_issuing_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.outputs (
  version_id TEXT NOT NULL,
  document_key TEXT NOT NULL,
  document_version TEXT NOT NULL,
  document_sha256 BYTEA NOT NULL,
  document_size INTEGER NOT NULL,
  seal_use_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_outputs PRIMARY KEY (version_id),
  CONSTRAINT fk_outputs_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.presentations (
  presentation_id TEXT NOT NULL,
  licence_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  code_digest BYTEA NOT NULL,
  recipient_agency TEXT NOT NULL,
  recipient_application TEXT,
  purpose TEXT NOT NULL,
  fields TEXT[] NOT NULL,
  presented_by TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_presentations PRIMARY KEY (presentation_id),
  CONSTRAINT fk_presentations_licence_id_licences FOREIGN KEY(licence_id) REFERENCES licences.licences (licence_id),
  CONSTRAINT fk_presentations_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id),
  CONSTRAINT uq_presentations_code_digest UNIQUE (code_digest)
);

CREATE INDEX ix_presentations_licence_id_presentation_id ON licences.presentations (licence_id, presentation_id);

CREATE TABLE licences.transitions (
  version_id TEXT NOT NULL,
  step INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason_code TEXT,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_transitions PRIMARY KEY (version_id, step),
  CONSTRAINT ck_transitions_step CHECK (step >= 1),
  CONSTRAINT fk_transitions_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE TABLE licences.usage_entries (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  entry_id TEXT NOT NULL,
  licence_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  holder_index BYTEA NOT NULL,
  presentation_id TEXT,
  act TEXT NOT NULL,
  reason_code TEXT,
  actor_kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  by_agency TEXT,
  recipient_agency TEXT,
  recipient_application TEXT,
  item_code TEXT,
  case_number TEXT,
  requested_fields TEXT[] NOT NULL,
  shown_fields TEXT[] NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_usage_entries PRIMARY KEY (position),
  CONSTRAINT uq_usage_entries_entry_id UNIQUE (entry_id),
  CONSTRAINT fk_usage_entries_licence_id_licences FOREIGN KEY(licence_id) REFERENCES licences.licences (licence_id),
  CONSTRAINT fk_usage_entries_version_id_versions FOREIGN KEY(version_id) REFERENCES licences.versions (version_id)
);

CREATE INDEX ix_usage_entries_holder_index_position ON licences.usage_entries (holder_index, position);

CREATE TABLE seals.seal_authorisations (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  seal_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  item_code TEXT NOT NULL,
  valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
  valid_until TIMESTAMP WITH TIME ZONE NOT NULL,
  uses_allowed INTEGER NOT NULL,
  uses_taken INTEGER DEFAULT '0' NOT NULL,
  state TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_authorisations PRIMARY KEY (id),
  CONSTRAINT ck_seal_authorisations_uses_within CHECK (uses_taken <= uses_allowed),
  CONSTRAINT fk_seal_authorisations_seal_id_seals FOREIGN KEY(seal_id) REFERENCES seals.seals (id)
);

CREATE INDEX ix_seal_authorisations_agency_id ON seals.seal_authorisations (agency_id);

CREATE INDEX ix_seal_authorisations_application_id_item_code ON seals.seal_authorisations (application_id, item_code);

CREATE TABLE archive.material_reuses (
  id TEXT NOT NULL,
  holder_agency_id TEXT NOT NULL,
  recipient_agency_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  archival_code TEXT NOT NULL,
  material TEXT NOT NULL,
  sha256 BYTEA NOT NULL,
  case_number TEXT NOT NULL,
  purpose TEXT NOT NULL,
  basis TEXT NOT NULL,
  basis_reference TEXT NOT NULL,
  granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  deliver_until TIMESTAMP WITH TIME ZONE NOT NULL,
  event_id TEXT NOT NULL,
  CONSTRAINT pk_material_reuses PRIMARY KEY (id),
  CONSTRAINT fk_material_reuses_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE INDEX ix_material_reuses_holder_agency_id ON archive.material_reuses (holder_agency_id);

CREATE INDEX ix_material_reuses_recipient_agency_id ON archive.material_reuses (recipient_agency_id);

CREATE INDEX ix_material_reuses_record_id ON archive.material_reuses (record_id);

CREATE TABLE archive.record_files (
  record_id TEXT NOT NULL,
  path TEXT NOT NULL,
  key TEXT NOT NULL,
  version_id TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  CONSTRAINT pk_record_files PRIMARY KEY (record_id, path),
  CONSTRAINT fk_record_files_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE TABLE archive.record_materials (
  record_id TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  title TEXT NOT NULL,
  role TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  "offset" BIGINT NOT NULL,
  CONSTRAINT pk_record_materials PRIMARY KEY (record_id, name),
  CONSTRAINT fk_record_materials_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE TABLE archive.record_outcomes (
  record_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  package_key TEXT,
  package_version TEXT,
  package_sha256 BYTEA,
  package_size BIGINT,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_record_outcomes PRIMARY KEY (record_id),
  CONSTRAINT ck_record_outcomes_registered_has_package CHECK ((outcome = 'registered') = (package_key IS NOT NULL AND package_version IS NOT NULL AND package_sha256 IS NOT NULL AND package_size IS NOT NULL)),
  CONSTRAINT fk_record_outcomes_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE TABLE archive.record_retentions (
  record_id TEXT NOT NULL,
  retain_until TIMESTAMP WITH TIME ZONE NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_record_retentions PRIMARY KEY (record_id, retain_until),
  CONSTRAINT fk_record_retentions_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE TABLE archive.record_timestamps (
  record_id TEXT NOT NULL,
  token BYTEA NOT NULL,
  gen_time TIMESTAMP WITH TIME ZONE NOT NULL,
  key TEXT NOT NULL,
  version_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_record_timestamps PRIMARY KEY (record_id),
  CONSTRAINT fk_record_timestamps_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE TABLE archive.retrieval_requests (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  materials TEXT[] NOT NULL,
  until TIMESTAMP WITH TIME ZONE NOT NULL,
  state TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by TEXT,
  decided_at TIMESTAMP WITH TIME ZONE,
  note TEXT,
  CONSTRAINT pk_retrieval_requests PRIMARY KEY (id),
  CONSTRAINT ck_retrieval_requests_two_persons CHECK (decided_by IS NULL OR decided_by <> requested_by),
  CONSTRAINT fk_retrieval_requests_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id)
);

CREATE INDEX ix_retrieval_requests_agency_id ON archive.retrieval_requests (agency_id);

CREATE INDEX ix_retrieval_requests_record_id ON archive.retrieval_requests (record_id);

CREATE TABLE identity.agent_withdrawals (
  agent_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  by TEXT NOT NULL,
  CONSTRAINT pk_agent_withdrawals PRIMARY KEY (agent_id),
  CONSTRAINT fk_agent_withdrawals_agent_id_agents FOREIGN KEY(agent_id) REFERENCES identity.agents (id)
);

CREATE TABLE identity.certificate_revocations (
  serial TEXT NOT NULL,
  reason TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  by TEXT NOT NULL,
  CONSTRAINT pk_certificate_revocations PRIMARY KEY (serial),
  CONSTRAINT fk_certificate_revocations_serial_certificates FOREIGN KEY(serial) REFERENCES identity.certificates (serial)
);

CREATE TABLE seals.seal_uses (
  id TEXT NOT NULL,
  agency_id TEXT NOT NULL,
  seal_id TEXT NOT NULL,
  authorisation_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  item_code TEXT NOT NULL,
  case_number TEXT,
  level TEXT NOT NULL,
  original_key TEXT NOT NULL,
  original_version TEXT NOT NULL,
  original_sha256 BYTEA NOT NULL,
  output_key TEXT NOT NULL,
  lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
  intended_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_uses PRIMARY KEY (id),
  CONSTRAINT fk_seal_uses_seal_id_seals FOREIGN KEY(seal_id) REFERENCES seals.seals (id),
  CONSTRAINT fk_seal_uses_authorisation_id_seal_authorisations FOREIGN KEY(authorisation_id) REFERENCES seals.seal_authorisations (id)
);

CREATE INDEX ix_seal_uses_agency_id ON seals.seal_uses (agency_id);

CREATE INDEX ix_seal_uses_authorisation_id ON seals.seal_uses (authorisation_id);

CREATE INDEX ix_seal_uses_lease_until ON seals.seal_uses (lease_until);

CREATE INDEX ix_seal_uses_seal_id ON seals.seal_uses (seal_id);

CREATE TABLE archive.record_citations (
  record_id TEXT NOT NULL,
  reuse_id TEXT NOT NULL,
  CONSTRAINT pk_record_citations PRIMARY KEY (record_id, reuse_id),
  CONSTRAINT fk_record_citations_record_id_records FOREIGN KEY(record_id) REFERENCES archive.records (id),
  CONSTRAINT fk_record_citations_reuse_id_material_reuses FOREIGN KEY(reuse_id) REFERENCES archive.material_reuses (id)
);

CREATE TABLE seals.seal_use_outcomes (
  use_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  output_version TEXT,
  output_sha256 BYTEA,
  event_id TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_use_outcomes PRIMARY KEY (use_id),
  CONSTRAINT fk_seal_use_outcomes_use_id_seal_uses FOREIGN KEY(use_id) REFERENCES seals.seal_uses (id)
);

CREATE TABLE seals.seal_use_preparations (
  position BIGINT GENERATED ALWAYS AS IDENTITY,
  use_id TEXT NOT NULL,
  digest BYTEA NOT NULL,
  byte_range BIGINT[] NOT NULL,
  field_name TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seal_use_preparations PRIMARY KEY (position),
  CONSTRAINT fk_seal_use_preparations_use_id_seal_uses FOREIGN KEY(use_id) REFERENCES seals.seal_uses (id)
);

CREATE INDEX ix_seal_use_preparations_use_id ON seals.seal_use_preparations (use_id);

GRANT USAGE ON SCHEMA trust TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA ledger TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA identity TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA seals TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA licences TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA archive TO yinxin_service, yinxin_reader;

GRANT USAGE ON SCHEMA trust TO yinxin_signer;

GRANT SELECT, INSERT ON archive.fonds TO yinxin_service;

GRANT SELECT ON archive.fonds TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.fonds FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.fonds FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON archive.item_numbers TO yinxin_service;

GRANT SELECT ON archive.item_numbers TO yinxin_reader;

GRANT SELECT, INSERT ON identity.agencies TO yinxin_service;

GRANT SELECT ON identity.agencies TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.agencies FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.agencies FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.attempts TO yinxin_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.credentials TO yinxin_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.familiar_addresses TO yinxin_service;

GRANT SELECT, INSERT ON identity.organisations TO yinxin_service;

GRANT SELECT ON identity.organisations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.organisations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.organisations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.people TO yinxin_service;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.people FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.people FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.checkpoints TO yinxin_service;

GRANT SELECT ON ledger.checkpoints TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.checkpoints FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.checkpoints FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON ledger.events TO yinxin_service;

GRANT SELECT ON ledger.events TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.events FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.events FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.head TO yinxin_service;

GRANT SELECT ON ledger.head TO yinxin_reader;

GRANT SELECT, INSERT, DELETE ON ledger.waiting TO yinxin_service;

GRANT SELECT ON ledger.waiting TO yinxin_reader;

GRANT SELECT, INSERT ON licences.licences TO yinxin_service;

GRANT SELECT ON licences.licences TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.licences FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.licences FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON licences.number_counters TO yinxin_service;

GRANT SELECT ON licences.number_counters TO yinxin_reader;

GRANT SELECT, INSERT ON licences.redemptions TO yinxin_service;

GRANT SELECT ON licences.redemptions TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.redemptions FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.redemptions FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON licences.status_lists TO yinxin_service;

GRANT SELECT ON licences.status_lists TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.status_lists FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.status_lists FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE (state, decided_by, decided_at, lease_until) ON seals.seal_requests TO yinxin_service;

GRANT SELECT ON seals.seal_requests TO yinxin_reader;

GRANT SELECT, INSERT ON trust.certificate_intents TO yinxin_service;

GRANT SELECT ON trust.certificate_intents TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.certificate_intents FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.certificate_intents FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.certificates TO yinxin_service;

GRANT SELECT ON trust.certificates TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.certificates FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.certificates FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.crls TO yinxin_service;

GRANT SELECT ON trust.crls TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.crls FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.crls FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.idempotency_keys TO yinxin_service;

GRANT SELECT ON trust.idempotency_keys TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.idempotency_keys FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.idempotency_keys FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.intent_outcomes TO yinxin_service;

GRANT SELECT ON trust.intent_outcomes TO yinxin_reader;

GRANT SELECT ON trust.intent_outcomes TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.intent_outcomes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.intent_outcomes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.intents TO yinxin_service;

GRANT SELECT ON trust.intents TO yinxin_reader;

GRANT SELECT ON trust.intents TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.intents FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.intents FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.key_bindings TO yinxin_service;

GRANT SELECT ON trust.key_bindings TO yinxin_reader;

GRANT SELECT ON trust.key_bindings TO yinxin_signer;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.key_bindings FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.key_bindings FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON trust.keys TO yinxin_signer;

GRANT SELECT, INSERT ON trust.revocations TO yinxin_service;

GRANT SELECT ON trust.revocations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON trust.revocations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON trust.revocations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.archive_classes TO yinxin_service;

GRANT SELECT ON archive.archive_classes TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.archive_classes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.archive_classes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.applications TO yinxin_service;

GRANT SELECT ON identity.applications TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.applications FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.applications FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.certificate_requests TO yinxin_service;

GRANT SELECT ON identity.certificate_requests TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.certificate_requests FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.certificate_requests FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.citizens TO yinxin_service;

GRANT SELECT ON identity.citizens TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.citizens FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.citizens FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.service_items TO yinxin_service;

GRANT SELECT ON identity.service_items TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.service_items FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.service_items FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.sessions TO yinxin_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.staff TO yinxin_service;

GRANT SELECT ON identity.staff TO yinxin_reader;

GRANT SELECT, INSERT, DELETE ON ledger.event_contents TO yinxin_service;

GRANT SELECT ON ledger.event_contents TO yinxin_reader;

GRANT SELECT, INSERT ON ledger.sequence TO yinxin_service;

GRANT SELECT ON ledger.sequence TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON ledger.sequence FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON ledger.sequence FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON licences.free_indexes TO yinxin_service;

GRANT SELECT ON licences.free_indexes TO yinxin_reader;

GRANT SELECT, INSERT, DELETE ON licences.redemption_answers TO yinxin_service;

GRANT SELECT ON licences.redemption_answers TO yinxin_reader;

GRANT SELECT, INSERT ON licences.status_changes TO yinxin_service;

GRANT SELECT ON licences.status_changes TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.status_changes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.status_changes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON licences.versions TO yinxin_service;

GRANT SELECT ON licences.versions TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.versions FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.versions FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE (state, suspended_by) ON seals.seals TO yinxin_service;

GRANT SELECT ON seals.seals TO yinxin_reader;

GRANT SELECT, INSERT ON archive.records TO yinxin_service;

GRANT SELECT ON archive.records TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.records FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.records FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.access_tokens TO yinxin_service;

GRANT SELECT, INSERT ON identity.agents TO yinxin_service;

GRANT SELECT ON identity.agents TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.agents FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.agents FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.application_revocations TO yinxin_service;

GRANT SELECT ON identity.application_revocations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.application_revocations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.application_revocations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.certificates TO yinxin_service;

GRANT SELECT ON identity.certificates TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.certificates FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.certificates FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.enrolments TO yinxin_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON identity.spent_assertions TO yinxin_service;

GRANT SELECT, INSERT ON licences.attempts TO yinxin_service;

GRANT SELECT ON licences.attempts TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.attempts FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.attempts FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, DELETE ON licences.contents TO yinxin_service;

GRANT SELECT ON licences.contents TO yinxin_reader;

GRANT SELECT, INSERT, DELETE ON licences.credentials TO yinxin_service;

GRANT SELECT ON licences.credentials TO yinxin_reader;

GRANT SELECT, INSERT, DELETE ON licences.issuing TO yinxin_service;

GRANT SELECT ON licences.issuing TO yinxin_reader;

GRANT SELECT, INSERT ON licences.outputs TO yinxin_service;

GRANT SELECT ON licences.outputs TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.outputs FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.outputs FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, DELETE ON licences.presentations TO yinxin_service;

GRANT SELECT ON licences.presentations TO yinxin_reader;

GRANT SELECT, INSERT ON licences.transitions TO yinxin_service;

GRANT SELECT ON licences.transitions TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.transitions FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.transitions FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON licences.usage_entries TO yinxin_service;

GRANT SELECT ON licences.usage_entries TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON licences.usage_entries FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON licences.usage_entries FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE (state, uses_taken) ON seals.seal_authorisations TO yinxin_service;

GRANT SELECT ON seals.seal_authorisations TO yinxin_reader;

GRANT SELECT, INSERT ON archive.material_reuses TO yinxin_service;

GRANT SELECT ON archive.material_reuses TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.material_reuses FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.material_reuses FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_files TO yinxin_service;

GRANT SELECT ON archive.record_files TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_files FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_files FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_materials TO yinxin_service;

GRANT SELECT ON archive.record_materials TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_materials FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_materials FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_outcomes TO yinxin_service;

GRANT SELECT ON archive.record_outcomes TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_outcomes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_outcomes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_retentions TO yinxin_service;

GRANT SELECT ON archive.record_retentions TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_retentions FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_retentions FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_timestamps TO yinxin_service;

GRANT SELECT ON archive.record_timestamps TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_timestamps FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_timestamps FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON archive.retrieval_requests TO yinxin_service;

GRANT SELECT ON archive.retrieval_requests TO yinxin_reader;

GRANT SELECT, INSERT ON identity.agent_withdrawals TO yinxin_service;

GRANT SELECT ON identity.agent_withdrawals TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.agent_withdrawals FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.agent_withdrawals FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON identity.certificate_revocations TO yinxin_service;

GRANT SELECT ON identity.certificate_revocations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON identity.certificate_revocations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON identity.certificate_revocations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON seals.seal_uses TO yinxin_service;

GRANT SELECT ON seals.seal_uses TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_uses FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_uses FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON archive.record_citations TO yinxin_service;

GRANT SELECT ON archive.record_citations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON archive.record_citations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON archive.record_citations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON seals.seal_use_outcomes TO yinxin_service;

GRANT SELECT ON seals.seal_use_outcomes TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_use_outcomes FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_use_outcomes FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();

GRANT SELECT, INSERT ON seals.seal_use_preparations TO yinxin_service;

GRANT SELECT ON seals.seal_use_preparations TO yinxin_reader;

CREATE TRIGGER facts_only BEFORE UPDATE OR DELETE ON seals.seal_use_preparations FOR EACH ROW EXECUTE FUNCTION trust.refuse_change();

CREATE TRIGGER facts_kept BEFORE TRUNCATE ON seals.seal_use_preparations FOR EACH STATEMENT EXECUTE FUNCTION trust.refuse_change();
