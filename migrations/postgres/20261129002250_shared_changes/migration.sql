CREATE TABLE "shared_changes" (
	"what" text PRIMARY KEY,
	"version" bigint NOT NULL
);
