CREATE TABLE `alert_outbox` (
	`sink` text NOT NULL,
	`alert_seq` integer NOT NULL,
	CONSTRAINT `alert_outbox_pk` PRIMARY KEY(`sink`, `alert_seq`)
);
--> statement-breakpoint
CREATE TABLE `alert_sinks` (
	`seq` integer PRIMARY KEY,
	`name` text NOT NULL UNIQUE,
	`state` text
);
