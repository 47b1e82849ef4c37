BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE arrivals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	ref VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	at VARCHAR NOT NULL, 
	result VARCHAR
);
INSERT INTO "arrivals" VALUES(1,'sms','SM8','+14155550101','ok','2026-11-23T10:00:00.000000+00:00','accepted');
INSERT INTO "arrivals" VALUES(2,'sms','SM9','+14155550101','ok','2026-11-23T10:00:00.000000+00:00',NULL);
CREATE TABLE attempts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	via VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	outcome VARCHAR, 
	ended_at VARCHAR, 
	possible_duplicate VARCHAR NOT NULL, 
	receipt VARCHAR, 
	receipt_at VARCHAR
, provider VARCHAR DEFAULT '' NOT NULL, bundle VARCHAR DEFAULT '' NOT NULL, receipt_code VARCHAR DEFAULT '' NOT NULL);
CREATE TABLE bundles (
	id VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(content) REFERENCES contents (digest)
);
CREATE TABLE configs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	revision VARCHAR NOT NULL, 
	since VARCHAR NOT NULL, 
	files BLOB
);
INSERT INTO "configs" VALUES(1,'r1','2026-11-23T10:00:00.000000+00:00',X'789CAB562AC94F2ECECCD3AB4CCCCD51B25250CA2F482D4A2CC92F2AB652884ECC4B8C8DC953AA0500FC980D37');
CREATE TABLE contents (
	digest VARCHAR NOT NULL, 
	subject TEXT NOT NULL, 
	text TEXT NOT NULL, 
	html TEXT NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE facts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	incident VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	body TEXT NOT NULL
);
CREATE TABLE incidents (
	id VARCHAR NOT NULL, 
	finished BOOLEAN NOT NULL, 
	file BLOB NOT NULL, 
	digest VARCHAR NOT NULL, 
	data BLOB, 
	PRIMARY KEY (id)
);
CREATE TABLE notices (
	cause VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (cause)
);
CREATE TABLE notifications (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" VARCHAR NOT NULL, 
	incident VARCHAR NOT NULL, 
	episode INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	"to" VARCHAR NOT NULL, 
	via VARCHAR NOT NULL, 
	roles VARCHAR NOT NULL, 
	level INTEGER, 
	round INTEGER, 
	"group" VARCHAR, 
	external BOOLEAN NOT NULL, 
	next_update_at VARCHAR, 
	rule VARCHAR NOT NULL, 
	revision VARCHAR NOT NULL, 
	content VARCHAR, 
	state VARCHAR NOT NULL, 
	settled_at VARCHAR, 
	detail VARCHAR NOT NULL, 
	UNIQUE ("key"), 
	FOREIGN KEY(content) REFERENCES contents (digest)
);
CREATE TABLE opt_outs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	via VARCHAR NOT NULL, 
	address VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	ref VARCHAR NOT NULL
);
CREATE TABLE reports (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at VARCHAR NOT NULL, 
	cause VARCHAR NOT NULL, 
	text TEXT NOT NULL
);
CREATE INDEX facts_of_incident ON facts (incident, id);
CREATE INDEX facts_answers ON facts (id) WHERE kind = 'Answered';
CREATE INDEX ix_notifications_incident ON notifications (incident);
CREATE INDEX notifications_pending ON notifications (id) WHERE state = 'pending';
CREATE INDEX ix_attempts_key ON attempts ("key");
CREATE UNIQUE INDEX arrivals_ref ON arrivals (kind, ref);
CREATE INDEX arrivals_of ON arrivals (kind, who, id);
CREATE INDEX arrivals_unjudged ON arrivals (id) WHERE result IS NULL;
CREATE INDEX facts_codes ON facts (id) WHERE kind = 'Coded';
CREATE INDEX incidents_unfinished ON incidents (id) WHERE finished = 0;
CREATE INDEX attempts_started ON attempts (started_at);
CREATE INDEX attempts_bundled ON attempts (bundle, id) WHERE bundle != '';
CREATE UNIQUE INDEX opt_outs_address ON opt_outs (via, address);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('configs',1);
INSERT INTO "sqlite_sequence" VALUES('arrivals',2);
COMMIT;
