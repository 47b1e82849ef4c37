BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
);
INSERT INTO "attempts" VALUES(1,'a',1,'sms','+14155550101','2026-11-23T10:00:00.000000+00:00',NULL,NULL,'',NULL,NULL);
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
INSERT INTO "contents" VALUES('b59a060bd7e5740260787d60bc8356f1','','Database down','');
CREATE TABLE facts (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	incident VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	body TEXT NOT NULL
);
INSERT INTO "facts" VALUES(1,'db','2026-11-23T10:00:00.000000+00:00','Seen','{"at":"2026-11-23T10:00:00Z","incident":{"id":"db","title":"Database down","severity":"sev1","status":"identified","services":["checkout"],"roles":[["incident_commander","bo"]],"acknowledged":[{"by":"ana","at":"2026-11-23T10:00:00Z"}],"eta":"2026-11-23T11:00:00Z","updates":[{"text":"Déjà vu 🙂","at":"2026-11-23T10:00:00Z"}]},"digest":"d1"}');
INSERT INTO "facts" VALUES(2,'db','2026-11-23T10:00:00.000000+00:00','Assessed','{"at":"2026-11-23T10:00:00Z","severity":"sev1","revision":"r1","via":["sms","email"]}');
INSERT INTO "facts" VALUES(3,'db','2026-11-23T10:00:00.000000+00:00','StepFired','{"at":"2026-11-23T10:00:00Z","role":"technical_lead","round":null,"level":null,"people":["ana","bo"]}');
INSERT INTO "facts" VALUES(4,'db','2026-11-23T10:00:00.000000+00:00','Paged','{"at":"2026-11-23T10:00:00Z","person":"ana","roles":["technical_lead"],"level":0,"round":1,"reason":"declared","channels":["sms"],"waiting":[["email","2026-11-23T11:00:00Z"]]}');
CREATE TABLE incidents (
	id VARCHAR NOT NULL, 
	finished BOOLEAN NOT NULL, 
	file BLOB NOT NULL, 
	digest VARCHAR NOT NULL, 
	data BLOB, 
	PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES('db',0,X'64622E79616D6C','d1',X'789C2BC92CC949B552A8E00200115402FF');
CREATE TABLE notices (
	cause VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (cause)
);
INSERT INTO "notices" VALUES('disk','2026-11-23T10:00:00.000000+00:00');
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
INSERT INTO "notifications" VALUES(1,'a','db',1,'page','declared','2026-11-23T10:00:00.000000+00:00','ana','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','b59a060bd7e5740260787d60bc8356f1','pending',NULL,'');
CREATE INDEX facts_of_incident ON facts (incident, id);
CREATE INDEX facts_answers ON facts (id) WHERE kind = 'Answered';
CREATE INDEX ix_notifications_incident ON notifications (incident);
CREATE INDEX notifications_pending ON notifications (id) WHERE state = 'pending';
CREATE INDEX ix_attempts_key ON attempts ("key");
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('facts',4);
INSERT INTO "sqlite_sequence" VALUES('notifications',1);
INSERT INTO "sqlite_sequence" VALUES('attempts',1);
INSERT INTO "sqlite_sequence" VALUES('configs',1);
COMMIT;
