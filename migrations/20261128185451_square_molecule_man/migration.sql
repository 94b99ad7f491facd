ALTER TABLE `api_keys` ADD `max_body_bytes` integer;--> statement-breakpoint
ALTER TABLE `runs` ADD `session` text;