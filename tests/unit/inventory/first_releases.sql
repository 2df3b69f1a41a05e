BEGIN TRANSACTION;
CREATE TABLE claims (
	datatake TEXT NOT NULL, 
	dag_id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	PRIMARY KEY (datatake)
);
INSERT INTO "claims" VALUES('GS2B_20260701T101559_048123_N05.00','datatake','manual');
CREATE TABLE datatakes (
	id TEXT NOT NULL, 
	unit TEXT NOT NULL, 
	type TEXT NOT NULL, 
	start TEXT NOT NULL, 
	stop TEXT NOT NULL, 
	absolute_orbit INTEGER NOT NULL, 
	relative_orbit INTEGER NOT NULL, 
	t0 TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	granules INTEGER NOT NULL, 
	datastrips TEXT NOT NULL, 
	levels TEXT NOT NULL, 
	station TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "datatakes" VALUES('GS2B_20260701T101559_048123_N05.00','S2B','INS-NOBS','2026-07-01T10:15:59.000000Z','2026-07-01T10:16:14.000000Z',48123,22,'2026-07-01T10:30:00.123456Z','DCS_05_S2B_1',48,'["DS1", "DS2"]','["L0", "L1B", "L1C", "L2A"]','S2PS');
CREATE TABLE products (
	name TEXT NOT NULL, 
	level TEXT NOT NULL, 
	type TEXT NOT NULL, 
	path TEXT NOT NULL, 
	datatake TEXT NOT NULL, 
	run TEXT NOT NULL, 
	published_at TEXT NOT NULL, 
	size INTEGER NOT NULL, 
	tile TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "products" VALUES('S2B_MSIL1C_X.SAFE','L1C','TL','/prip/x','GS2B_20260701T101559_048123_N05.00','run1','2026-07-01T10:30:00.123456Z',5000000000,'32TPQ');
CREATE TABLE runs (
	"key" TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	strategy TEXT NOT NULL, 
	from_level TEXT NOT NULL, 
	state TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "runs" VALUES('key','datatake','GS2B_20260701T101559_048123_N05.00','nominal','L0','running','2026-07-01T10:30:00.123456Z','2026-07-01T10:30:00.123456Z');
CREATE TABLE sessions (
	id TEXT NOT NULL, 
	folder TEXT NOT NULL, 
	t0 TEXT NOT NULL, 
	station TEXT NOT NULL, 
	files INTEGER NOT NULL, 
	unit TEXT NOT NULL, 
	start TEXT, 
	stop TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "sessions" VALUES('DCS_05_S2B_1','/pick-up/S1','2026-07-01T10:30:00.123456Z','SGS_',12,'S2B','2026-07-01T10:15:59.000000Z',NULL);
CREATE INDEX datatakes_by_session ON datatakes (session_id);
CREATE INDEX datatakes_by_time ON datatakes (start, stop);
CREATE INDEX products_by_datatake ON products (datatake, level);
CREATE INDEX runs_by_subject ON runs (kind, subject);
COMMIT;
