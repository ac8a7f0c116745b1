-- What is there are pictures; from now on each row says what its octets are. Grants are those of the tables: the
-- service inserts, and may change neither column.
ALTER TABLE seals.seal_requests RENAME COLUMN impression_png TO impression;

ALTER TABLE seals.seal_requests
  ADD COLUMN impression_media_type TEXT DEFAULT 'image/png' NOT NULL,
  ADD CONSTRAINT ck_seal_requests_impression_known CHECK (impression_media_type IN ('image/png', 'image/svg+xml'));

ALTER TABLE seals.seal_requests ALTER COLUMN impression_media_type DROP DEFAULT;

ALTER TABLE seals.seals RENAME COLUMN impression_png TO impression;

ALTER TABLE seals.seals
  ADD COLUMN impression_media_type TEXT DEFAULT 'image/png' NOT NULL,
  ADD CONSTRAINT ck_seals_impression_known CHECK (impression_media_type IN ('image/png', 'image/svg+xml'));

ALTER TABLE seals.seals ALTER COLUMN impression_media_type DROP DEFAULT;
