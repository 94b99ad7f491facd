-- A slice of a budget's account for a node: at least p_need, at most p_want, never more than its share of the room. What a node was granted is the
-- most that it may have spent and hold in the window; what it has spent and holds beyond that counts all the same. p_have takes the place of what
-- the table says of the asking node, so that a question whose answer was lost can be asked again. Never changed: a newer version has a new name.
create function lease_budget(
  p_node bigint, p_budget text, p_account text, p_window bigint, p_from bigint, p_unit text,
  p_limit numeric, p_have numeric, p_need numeric, p_want numeric,
  out granted bigint, out others_spent bigint, out others_held bigint
) language plpgsql as $$
declare
  others numeric;
  mine numeric;
  spent numeric;
  held numeric;
  room numeric;
  got numeric;
  living int;
begin
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || chr(10) || p_budget || chr(10) || p_account, 0));
  -- Each statement from here on sees what was committed before it.
  perform 1 from nodes where seq = p_node and alive for key share;
  if not found then
    granted := -1; others_spent := 0; others_held := 0;
    return;
  end if;
  with used as (
    select node,
      sum(case p_unit when 'usd' then spent_nano_usd when 'tokens' then spent_tokens else spent_calls end) as s,
      sum(case p_unit when 'usd' then held_nano_usd when 'tokens' then held_tokens else held_calls end) as h
    from budget_windows where budget_id = p_budget and account = p_account and window_start_ms >= p_from group by node
  ), slices as (
    select node, budget_leases.granted as g from budget_leases
    where budget_id = p_budget and account = p_account and window_start_ms = p_window
  ), both_of as (
    select coalesce(used.node, slices.node) as node, coalesce(s, 0) as s, coalesce(h, 0) as h, g
    from used full join slices on slices.node = used.node
  )
  -- Of a node that was granted nothing, what its rows say, whatever its sign: another one may have settled what it held.
  select coalesce(sum(greatest(g, s + h)) filter (where node <> p_node), 0),
    coalesce(sum(s) filter (where node <> p_node), 0),
    coalesce(sum(h) filter (where node <> p_node), 0),
    greatest(p_have, coalesce(sum(s + h) filter (where node = p_node), 0))
  into others, spent, held, mine from both_of;
  room := p_limit - others - mine;
  select greatest(count(*), 1) into living from nodes where alive and not has_left;
  got := greatest(p_need, least(p_want, div(greatest(room, 0), 2 * living)));
  if got > room then got := 0; end if;
  granted := p_have + got;
  others_spent := spent;
  others_held := held;
  if got > 0 then
    insert into budget_leases (budget_id, account, window_start_ms, node, granted)
    values (p_budget, p_account, p_window, p_node, lease_budget.granted)
    on conflict (budget_id, account, window_start_ms, node) do update set granted = excluded.granted;
  end if;
end $$;
