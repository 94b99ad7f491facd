ALTER TABLE `runs` ADD `reusable` integer DEFAULT true NOT NULL;--> statement-breakpoint
DROP INDEX `runs_by_input`;--> statement-breakpoint
CREATE INDEX `runs_by_input` ON `runs` (substr(input_hash, 1, 16)) WHERE status = 'succeeded' and reusable = 1;
