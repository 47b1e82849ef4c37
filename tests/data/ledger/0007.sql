BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0007');
CREATE TABLE answer_links (
	digest VARCHAR NOT NULL, 
	incident VARCHAR NOT NULL, 
	episode INTEGER NOT NULL, 
	person VARCHAR NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "answer_links" VALUES('abababababababababababababababababababababababababababababababab','db',1,'ana');
CREATE TABLE arrivals (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	ref VARCHAR NOT NULL, 
	who VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	at VARCHAR NOT NULL, 
	result VARCHAR
, words TEXT);
INSERT INTO "arrivals" VALUES(1,'sms','SM8','+14155550101','ok','2026-11-23T10:00:00.000000+00:00','accepted',NULL);
INSERT INTO "arrivals" VALUES(2,'sms','SM9','+14155550101','K7','2026-11-23T10:00:00.000000+00:00','accepted','Done.');
INSERT INTO "arrivals" VALUES(4,'receipt','AC1/SM7:delivered','5','delivered','2026-11-23T10:12:00.000000+00:00',NULL,NULL);
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
INSERT INTO "attempts" VALUES(1,'a',1,'sms','+14155550101','2026-11-23T10:00:00.000000+00:00','{"is": "Accepted", "provider_id": "SM1"}','2026-11-23T10:00:00.000000+00:00','','delivered','2026-11-23T10:01:00.000000+00:00','','','');
INSERT INTO "attempts" VALUES(2,'b',1,'email','ana@example.com','2026-11-23T10:00:00.000000+00:00','{"is": "Uncertain", "detail": "the connection broke"}','2026-11-23T10:00:00.000000+00:00','',NULL,NULL,'','','');
INSERT INTO "attempts" VALUES(3,'b',2,'email','ana@example.com','2026-11-23T10:00:30.000000+00:00',NULL,NULL,'the connection broke',NULL,NULL,'','','');
INSERT INTO "attempts" VALUES(4,'o',1,'sms','+14155550102','2026-11-23T10:00:00.000000+00:00','{"is": "Refused", "detail": "no such number", "code": "21211"}','2026-11-23T10:00:00.000000+00:00','',NULL,NULL,'','','');
INSERT INTO "attempts" VALUES(5,'c',1,'sms','+14155550102','2026-11-23T10:10:00.000000+00:00','{"is": "Accepted", "provider_id": "SM7"}','2026-11-23T10:10:00.000000+00:00','','sent','2026-11-23T10:11:00.000000+00:00','main','b7','');
INSERT INTO "attempts" VALUES(6,'d',1,'sms','+14155550102','2026-11-23T10:10:00.000000+00:00','{"is": "Accepted", "provider_id": "SM7"}','2026-11-23T10:10:00.000000+00:00','',NULL,NULL,'main','b7','');
INSERT INTO "attempts" VALUES(7,'e',1,'sms','+14155550102','2026-11-23T10:10:00.000000+00:00','{"is": "Accepted", "provider_id": "SM7"}','2026-11-23T10:10:00.000000+00:00','',NULL,NULL,'main','b7','');
INSERT INTO "attempts" VALUES(8,'e',2,'sms','+14155550102','2026-11-23T10:15:00.000000+00:00',NULL,NULL,'no receipt',NULL,NULL,'','','');
CREATE TABLE bundles (
	id VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(content) REFERENCES contents (digest)
);
INSERT INTO "bundles" VALUES('b7','4a8ac04c2cccbe2be8be333a9f00fac9');
CREATE TABLE configs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	revision VARCHAR NOT NULL, 
	since VARCHAR NOT NULL, 
	files BLOB
, mac TEXT, seal TEXT);
INSERT INTO "configs" VALUES(1,'r1','2026-11-23T10:00:00.000000+00:00',X'789CAB564AD4AB4CCCCD51B25250AA50AA050026020495',NULL,NULL);
INSERT INTO "configs" VALUES(2,'r1','2026-11-23T10:00:00.000000+00:00',X'789CAB562AC94F2ECECCD3AB4CCCCD51B25250CA2F482D4A2CC92F2AB652884ECC4B8C8DC953AA0500FC980D37','c0de','07c15b195f3c4c13909865370039a977c07fa2789af34cdf05171e5cbce35dfe');
CREATE TABLE contents (
	digest VARCHAR NOT NULL, 
	subject TEXT NOT NULL, 
	text TEXT NOT NULL, 
	html TEXT NOT NULL, language TEXT DEFAULT 'en' NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "contents" VALUES('b59a060bd7e5740260787d60bc8356f1','','Database down','','en');
INSERT INTO "contents" VALUES('bb5ce896f38e79b0dfe118e750bd3cba','','Database still down','','en');
INSERT INTO "contents" VALUES('4a8ac04c2cccbe2be8be333a9f00fac9','','3 pages','','en');
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
INSERT INTO "facts" VALUES(5,'db','2026-11-23T10:00:00.000000+00:00','Coded','{"at":"2026-11-23T10:00:00Z","person":"ana","number":"+14155550101","code":"K7"}');
INSERT INTO "facts" VALUES(6,'db','2026-11-23T11:00:00.000000+00:00','Answered','{"at":"2026-11-23T11:00:00Z","person":"ana","answer":"ok"}');
INSERT INTO "facts" VALUES(7,'old','2026-11-23T09:00:00.000000+00:00','Seen','{"at":"2026-11-23T09:00:00Z","incident":{"id":"old","title":"Database down","severity":"sev1","status":"identified","services":["checkout"],"roles":[["incident_commander","bo"]],"acknowledged":[{"by":"ana","at":"2026-11-23T10:00:00Z"}],"eta":"2026-11-23T11:00:00Z","updates":[{"text":"Déjà vu 🙂","at":"2026-11-23T10:00:00Z"}]},"digest":"d1"}');
INSERT INTO "facts" VALUES(8,'old','2026-11-23T10:00:00.000000+00:00','Closed','{"at":"2026-11-23T10:00:00Z"}');
INSERT INTO "facts" VALUES(9,'web','2026-11-23T10:09:00.000000+00:00','Seen','{"at":"2026-11-23T10:09:00Z","incident":{"id":"web","title":"Web down","severity":"sev2"},"digest":"d7"}');
INSERT INTO "facts" VALUES(10,'db','2026-11-23T10:10:00.000000+00:00','Answered','{"at":"2026-11-23T10:10:00Z","person":"ana","answer":"ok"}');
INSERT INTO "facts" VALUES(11,'web','2026-11-23T10:09:00.000000+00:00','RoleOpened','{"at":"2026-11-23T10:09:00Z","role":"technical_lead","reason":"declared"}');
CREATE TABLE incidents (
	id VARCHAR NOT NULL, 
	finished BOOLEAN NOT NULL, 
	file BLOB NOT NULL, 
	digest VARCHAR NOT NULL, 
	data BLOB, 
	PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES('db',0,X'64622E79616D6C','d1',X'789C2BC92CC949B552A8E00200115402FF');
INSERT INTO "incidents" VALUES('old',1,X'','',NULL);
INSERT INTO "incidents" VALUES('web',0,X'','',NULL);
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
INSERT INTO "notifications" VALUES(1,'a','db',1,'page','declared','2026-11-23T10:00:00.000000+00:00','ana','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','b59a060bd7e5740260787d60bc8356f1','accepted','2026-11-23T10:00:00.000000+00:00','');
INSERT INTO "notifications" VALUES(2,'b','db',1,'page','declared','2026-11-23T10:00:00.000000+00:00','ana','email','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','b59a060bd7e5740260787d60bc8356f1','pending',NULL,'');
INSERT INTO "notifications" VALUES(3,'u','db',1,'update','declared','2026-11-23T10:00:00.000000+00:00','ana','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','b59a060bd7e5740260787d60bc8356f1','pending',NULL,'');
INSERT INTO "notifications" VALUES(4,'h','db',1,'page','nobody_on_call','2026-11-23T10:00:00.000000+00:00','ana','','',NULL,NULL,NULL,0,NULL,'roles.yaml:4','r1',NULL,'held','2026-11-23T10:00:00.000000+00:00','nobody is on call');
INSERT INTO "notifications" VALUES(5,'o','old',1,'page','declared','2026-11-23T10:00:00.000000+00:00','ana','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','b59a060bd7e5740260787d60bc8356f1','refused','2026-11-23T10:00:00.000000+00:00','');
INSERT INTO "notifications" VALUES(6,'c','web',1,'page','repeated','2026-11-23T10:10:00.000000+00:00','bo','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','bb5ce896f38e79b0dfe118e750bd3cba','pending',NULL,'');
INSERT INTO "notifications" VALUES(7,'d','web',1,'page','repeated','2026-11-23T10:10:00.000000+00:00','bo','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','bb5ce896f38e79b0dfe118e750bd3cba','pending',NULL,'');
INSERT INTO "notifications" VALUES(8,'e','db',1,'page','repeated','2026-11-23T10:10:00.000000+00:00','bo','sms','',NULL,NULL,NULL,0,NULL,'severities.yaml:3','r1','bb5ce896f38e79b0dfe118e750bd3cba','pending',NULL,'');
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
INSERT INTO "reports" VALUES(1,'2026-11-23T10:00:00.000000+00:00','pull','refused');
CREATE TABLE sessions (
	digest VARCHAR NOT NULL, 
	person VARCHAR NOT NULL, 
	began_at VARCHAR NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "sessions" VALUES('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','ana','2026-11-23T10:00:00.000000+00:00');
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
INSERT INTO "sqlite_sequence" VALUES('facts',11);
INSERT INTO "sqlite_sequence" VALUES('notifications',8);
INSERT INTO "sqlite_sequence" VALUES('attempts',8);
INSERT INTO "sqlite_sequence" VALUES('arrivals',4);
INSERT INTO "sqlite_sequence" VALUES('configs',2);
INSERT INTO "sqlite_sequence" VALUES('reports',1);
COMMIT;
