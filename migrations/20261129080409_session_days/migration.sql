-- Days by session alone, added up from the days by session. A histogram is a list of pairs that are added: one after the other they are the sum.
insert or ignore into rollup_keys (dimensions)
select distinct '["","","","","","","{}",' || json_quote(json_extract(rollup_keys.dimensions, '$[7]')) || ',""]' from rollup_keys
where id in (select key_id from rollups where grain = 5);--> statement-breakpoint
insert into rollups (grain, bucket_ms, key_id, cost_nano_usd, saved_nano_usd, runs, attempts, errors, input_tokens, cached_input_tokens, output_tokens, cache_write_tokens, reasoning_tokens, cached_runs, estimated_nano_usd, unbaselined_nano_usd, saved_routing_nano_usd, saved_local_nano_usd, saved_cascade_nano_usd, saved_prompt_cache_nano_usd, saved_exact_cache_nano_usd, saved_failures_nano_usd, latency, first_token)
select 8, bucket_ms, alone.id, sum(cost_nano_usd), sum(saved_nano_usd), sum(runs), sum(attempts), sum(errors), sum(input_tokens), sum(cached_input_tokens), sum(output_tokens), sum(cache_write_tokens), sum(reasoning_tokens), sum(cached_runs), sum(estimated_nano_usd), sum(unbaselined_nano_usd), sum(saved_routing_nano_usd), sum(saved_local_nano_usd), sum(saved_cascade_nano_usd), sum(saved_prompt_cache_nano_usd), sum(saved_exact_cache_nano_usd), sum(saved_failures_nano_usd),
  cast(group_concat(latency, '') as blob), cast(group_concat(first_token, '') as blob)
from rollups join rollup_keys on rollup_keys.id = key_id
  join rollup_keys as alone on alone.dimensions = '["","","","","","","{}",' || json_quote(json_extract(rollup_keys.dimensions, '$[7]')) || ',""]'
where grain = 5 group by bucket_ms, alone.id;
