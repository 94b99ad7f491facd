CREATE TABLE `alerts` (
	`seq` integer PRIMARY KEY,
	`id` text NOT NULL UNIQUE,
	`kind` text NOT NULL,
	`severity` text NOT NULL,
	`message` text NOT NULL,
	`remedy` text NOT NULL,
	`scope` text NOT NULL,
	`at_ms` integer NOT NULL,
	`run_id` text,
	`details` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `api_keys` (
	`seq` integer PRIMARY KEY,
	`id` text NOT NULL UNIQUE,
	`hash` text NOT NULL UNIQUE,
	`hint` text NOT NULL,
	`caller` text NOT NULL,
	`team` text,
	`tier` text,
	`tags` text NOT NULL,
	`scopes` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`revoked_at_ms` integer,
	`last_used_at_ms` integer,
	`requests_per_minute` integer
);
--> statement-breakpoint
CREATE TABLE `attempts` (
	`seq` integer PRIMARY KEY,
	`id` text NOT NULL UNIQUE,
	`run_id` text NOT NULL,
	`step` text NOT NULL,
	`revision` text NOT NULL,
	`task` text NOT NULL,
	`caller` text NOT NULL,
	`provider` text NOT NULL,
	`requested_model` text NOT NULL,
	`rates_content` integer NOT NULL,
	`postings` text NOT NULL,
	`held_nano_usd` integer NOT NULL,
	`held_tokens` integer NOT NULL,
	`started_at_ms` integer NOT NULL,
	`decision` text NOT NULL,
	`rollup_key_id` integer NOT NULL,
	`status` text NOT NULL,
	`model` text NOT NULL,
	`error_class` text,
	`error_message` text,
	`input_tokens` integer NOT NULL,
	`cached_input_tokens` integer NOT NULL,
	`cache_write_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`reasoning_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`saved_nano_usd` integer NOT NULL,
	`estimated` integer NOT NULL,
	`queue_ms` real NOT NULL,
	`latency_ms` real,
	`first_token_ms` real,
	`finished_at_ms` integer,
	`request_id` text,
	`reconciled` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `budget_windows` (
	`budget_id` text NOT NULL,
	`account` text NOT NULL,
	`window_start_ms` integer NOT NULL,
	`spent_nano_usd` integer NOT NULL,
	`spent_tokens` integer NOT NULL,
	`spent_calls` integer NOT NULL,
	`held_nano_usd` integer NOT NULL,
	`held_tokens` integer NOT NULL,
	`held_calls` integer NOT NULL,
	`seeded` integer NOT NULL,
	CONSTRAINT `budget_windows_pk` PRIMARY KEY(`budget_id`, `account`, `window_start_ms`)
);
--> statement-breakpoint
CREATE TABLE `callers` (
	`seq` integer PRIMARY KEY,
	`name` text NOT NULL UNIQUE,
	`team` text,
	`tier` text,
	`first_seen_ms` integer NOT NULL,
	`last_seen_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `contents` (
	`id` integer PRIMARY KEY,
	`hash` blob NOT NULL UNIQUE,
	`text` text NOT NULL,
	`keep_until_ms` integer
);
--> statement-breakpoint
CREATE TABLE `ledger_state` (
	`id` integer PRIMARY KEY,
	`commits` integer NOT NULL,
	`last_operation` integer NOT NULL,
	`pruned_before_ms` integer NOT NULL,
	`minutes_from_ms` integer NOT NULL,
	`hours_from_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `revisions` (
	`seq` integer PRIMARY KEY,
	`hash` text NOT NULL UNIQUE,
	`commit_id` text,
	`author` text,
	`subject` text,
	`dirty` integer NOT NULL,
	`source` text NOT NULL,
	`compiled_at_ms` integer NOT NULL,
	`active_from_ms` integer,
	`active_to_ms` integer,
	`problems` text NOT NULL,
	`pinned` integer NOT NULL,
	`plan_content` integer
);
--> statement-breakpoint
CREATE TABLE `rollup_keys` (
	`id` integer PRIMARY KEY,
	`dimensions` text NOT NULL UNIQUE
);
--> statement-breakpoint
CREATE TABLE `rollups` (
	`grain` integer NOT NULL,
	`bucket_ms` integer NOT NULL,
	`key_id` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`saved_nano_usd` integer NOT NULL,
	`runs` integer NOT NULL,
	`attempts` integer NOT NULL,
	`errors` integer NOT NULL,
	`input_tokens` integer NOT NULL,
	`cached_input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`latency` blob NOT NULL,
	`first_token` blob NOT NULL,
	CONSTRAINT `rollups_pk` PRIMARY KEY(`grain`, `bucket_ms`, `key_id`)
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`seq` integer PRIMARY KEY,
	`id` text NOT NULL UNIQUE,
	`task` text NOT NULL,
	`revision` text NOT NULL,
	`task_revision` text NOT NULL,
	`status` text NOT NULL,
	`caller` text NOT NULL,
	`team` text,
	`tier` text,
	`tags` text NOT NULL,
	`idempotency_key` text,
	`parent_run_id` text,
	`durable` integer NOT NULL,
	`continuation` text,
	`input_text` text,
	`input_content` integer,
	`input_hash` text NOT NULL,
	`output_text` text,
	`output_content` integer,
	`error` text,
	`cost_nano_usd` integer NOT NULL,
	`saved_nano_usd` integer NOT NULL,
	`cached` integer NOT NULL,
	`started_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	`latency_ms` real,
	`retain` text NOT NULL,
	`keep_until_ms` integer,
	`rollup_key_id` integer
);
--> statement-breakpoint
CREATE TABLE `steps` (
	`run_id` text NOT NULL,
	`key` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`started_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	`output_text` text,
	`output_content` integer,
	`error` text,
	CONSTRAINT `steps_pk` PRIMARY KEY(`run_id`, `key`)
);
--> statement-breakpoint
CREATE TABLE `switches` (
	`seq` integer PRIMARY KEY,
	`scope` text NOT NULL,
	`reason` text NOT NULL,
	`set_by` text NOT NULL,
	`since_ms` integer NOT NULL,
	`cleared_by` text,
	`cleared_at_ms` integer
);
--> statement-breakpoint
CREATE INDEX `attempts_by_run` ON `attempts` (`run_id`);--> statement-breakpoint
CREATE INDEX `attempts_by_start` ON `attempts` (`started_at_ms`);--> statement-breakpoint
CREATE INDEX `attempts_unsettled` ON `attempts` (`status`) WHERE status in ('open', 'unreconciled');--> statement-breakpoint
CREATE INDEX `budget_windows_by_start` ON `budget_windows` (`window_start_ms`);--> statement-breakpoint
CREATE INDEX `contents_expiring` ON `contents` (`keep_until_ms`) WHERE keep_until_ms is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `runs_idempotency` ON `runs` (`caller`,`idempotency_key`) WHERE idempotency_key is not null;--> statement-breakpoint
CREATE INDEX `runs_by_task` ON `runs` (`task`);--> statement-breakpoint
CREATE INDEX `runs_by_caller` ON `runs` (`caller`);--> statement-breakpoint
CREATE INDEX `runs_by_start` ON `runs` (`started_at_ms`);--> statement-breakpoint
CREATE INDEX `runs_unfinished` ON `runs` (`status`) WHERE finished_at_ms is null;--> statement-breakpoint
CREATE INDEX `runs_by_input` ON `runs` (substr(input_hash, 1, 16)) WHERE status = 'succeeded';--> statement-breakpoint
CREATE INDEX `runs_expiring` ON `runs` (`keep_until_ms`) WHERE keep_until_ms is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `switches_off` ON `switches` (`scope`) WHERE cleared_at_ms is null;