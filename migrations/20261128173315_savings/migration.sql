ALTER TABLE `attempts` ADD `saved_by` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `baseline` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `saved_route_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `attempts` ADD `saved_prompt_cache_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `cache_write_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `reasoning_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `cached_runs` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `estimated_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `unbaselined_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_routing_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_local_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_cascade_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_prompt_cache_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_exact_cache_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `rollups` ADD `saved_failures_nano_usd` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
-- What is there already is counted as what comes: nobody worked out what those attempts saved, so that a failure counts against and the rest is without a baseline.
WITH `counted` AS (
  SELECT `grains`.`grain` AS `grain`, `attempts`.`started_at_ms` - `attempts`.`started_at_ms` % `grains`.`width` AS `bucket_ms`, `keys`.`id` AS `key_id`,
    sum(`attempts`.`cache_write_tokens`) AS `cache_write_tokens`, sum(`attempts`.`reasoning_tokens`) AS `reasoning_tokens`,
    sum(iif(`attempts`.`estimated`, `attempts`.`cost_nano_usd`, 0)) AS `estimated_nano_usd`,
    sum(iif(`attempts`.`status` = 'succeeded', `attempts`.`cost_nano_usd`, 0)) AS `unbaselined_nano_usd`,
    sum(iif(`attempts`.`status` = 'succeeded', 0, -`attempts`.`cost_nano_usd`)) AS `saved_failures_nano_usd`
  FROM `attempts` JOIN `rollup_keys` AS `opened` ON `opened`.`id` = `attempts`.`rollup_key_id`
    JOIN `rollup_keys` AS `keys` ON `keys`.`dimensions` = substr(`opened`.`dimensions`, 1, length(`opened`.`dimensions`) - 6) || `attempts`.`status` || '"]'
    CROSS JOIN (SELECT 0 AS `grain`, 60000 AS `width` UNION ALL SELECT 1, 3600000 UNION ALL SELECT 2, 86400000) AS `grains`
  WHERE `attempts`.`status` NOT IN ('open', 'unreconciled') GROUP BY 1, 2, 3)
UPDATE `rollups` SET `cache_write_tokens` = `counted`.`cache_write_tokens`, `reasoning_tokens` = `counted`.`reasoning_tokens`,
  `estimated_nano_usd` = `counted`.`estimated_nano_usd`, `unbaselined_nano_usd` = `counted`.`unbaselined_nano_usd`,
  `saved_failures_nano_usd` = `counted`.`saved_failures_nano_usd`
FROM `counted` WHERE `counted`.`grain` = `rollups`.`grain` AND `counted`.`bucket_ms` = `rollups`.`bucket_ms` AND `counted`.`key_id` = `rollups`.`key_id`;--> statement-breakpoint
WITH `counted` AS (
  SELECT `grains`.`grain` AS `grain`, `runs`.`started_at_ms` - `runs`.`started_at_ms` % `grains`.`width` AS `bucket_ms`, `runs`.`rollup_key_id` AS `key_id`,
    sum(`runs`.`cached` > 0) AS `cached_runs`, sum(iif(`runs`.`cached` = 1, `runs`.`saved_nano_usd`, 0)) AS `saved_exact_cache_nano_usd`
  FROM `runs` CROSS JOIN (SELECT 0 AS `grain`, 60000 AS `width` UNION ALL SELECT 1, 3600000 UNION ALL SELECT 2, 86400000) AS `grains`
  WHERE `runs`.`finished_at_ms` IS NOT NULL AND `runs`.`rollup_key_id` IS NOT NULL GROUP BY 1, 2, 3)
UPDATE `rollups` SET `cached_runs` = `counted`.`cached_runs`, `saved_exact_cache_nano_usd` = `counted`.`saved_exact_cache_nano_usd`
FROM `counted` WHERE `counted`.`grain` = `rollups`.`grain` AND `counted`.`bucket_ms` = `rollups`.`bucket_ms` AND `counted`.`key_id` = `rollups`.`key_id`;
