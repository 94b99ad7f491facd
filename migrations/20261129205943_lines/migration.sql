-- By their time and not by when they were written: a month's are read from one place.
CREATE TABLE `rollups_by_time` (
	`grain` integer NOT NULL,
	`bucket_ms` integer NOT NULL,
	`key_id` integer NOT NULL,
	`line` text,
	`cost_nano_usd` integer NOT NULL,
	`saved_nano_usd` integer NOT NULL,
	`input_tokens` integer NOT NULL,
	`cached_input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`cache_write_tokens` integer DEFAULT 0 NOT NULL,
	`reasoning_tokens` integer DEFAULT 0 NOT NULL,
	`estimated_nano_usd` integer DEFAULT 0 NOT NULL,
	`unbaselined_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_routing_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_local_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_cascade_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_prompt_cache_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_exact_cache_nano_usd` integer DEFAULT 0 NOT NULL,
	`saved_failures_nano_usd` integer DEFAULT 0 NOT NULL,
	`runs` integer NOT NULL,
	`attempts` integer NOT NULL,
	`errors` integer NOT NULL,
	`cached_runs` integer DEFAULT 0 NOT NULL,
	`latency` blob NOT NULL,
	`first_token` blob NOT NULL,
	CONSTRAINT `rollups_pk` PRIMARY KEY(`grain`, `bucket_ms`, `key_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `rollups_by_time` (`grain`, `bucket_ms`, `key_id`, `cost_nano_usd`, `saved_nano_usd`, `input_tokens`, `cached_input_tokens`, `output_tokens`, `cache_write_tokens`, `reasoning_tokens`, `estimated_nano_usd`, `unbaselined_nano_usd`, `saved_routing_nano_usd`, `saved_local_nano_usd`, `saved_cascade_nano_usd`, `saved_prompt_cache_nano_usd`, `saved_exact_cache_nano_usd`, `saved_failures_nano_usd`, `runs`, `attempts`, `errors`, `cached_runs`, `latency`, `first_token`, `line`)
SELECT `grain`, `bucket_ms`, `key_id`, `cost_nano_usd`, `saved_nano_usd`, `input_tokens`, `cached_input_tokens`, `output_tokens`, `cache_write_tokens`, `reasoning_tokens`, `estimated_nano_usd`, `unbaselined_nano_usd`, `saved_routing_nano_usd`, `saved_local_nano_usd`, `saved_cascade_nano_usd`, `saved_prompt_cache_nano_usd`, `saved_exact_cache_nano_usd`, `saved_failures_nano_usd`, `runs`, `attempts`, `errors`, `cached_runs`, `latency`, `first_token`, case when grain in (2, 5, 8) then cast(key_id as text) || ' ' || cast(cost_nano_usd as text) || ' ' || cast(saved_nano_usd as text) || ' ' || cast(input_tokens as text) || ' ' || cast(cached_input_tokens as text) || ' ' || cast(output_tokens as text) || ' ' || cast(cache_write_tokens as text) || ' ' || cast(reasoning_tokens as text) || ' ' || cast(estimated_nano_usd as text) || ' ' || cast(unbaselined_nano_usd as text) || ' ' || cast(saved_routing_nano_usd as text) || ' ' || cast(saved_local_nano_usd as text) || ' ' || cast(saved_cascade_nano_usd as text) || ' ' || cast(saved_prompt_cache_nano_usd as text) || ' ' || cast(saved_exact_cache_nano_usd as text) || ' ' || cast(saved_failures_nano_usd as text) || ' ' || cast(runs as text) || ' ' || cast(attempts as text) || ' ' || cast(errors as text) || ' ' || cast(cached_runs as text) end
FROM `rollups` ORDER BY `grain`, `bucket_ms`, `key_id`;
--> statement-breakpoint
DROP TABLE `rollups`;
--> statement-breakpoint
ALTER TABLE `rollups_by_time` RENAME TO `rollups`;
