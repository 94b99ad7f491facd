CREATE TABLE `learnt_bounds` (
	`seq` integer PRIMARY KEY,
	`model` text NOT NULL UNIQUE,
	`bound` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `attempts` ADD `finish_reason` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `service_tier` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `reported_cost_nano_usd` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `notes` text;