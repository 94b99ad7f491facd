-- Ends a statement, and whatever it has changed, for a reason that its sender knows.
create function refuse(reason text) returns void language plpgsql as $$ begin raise exception using errcode = 'HG001', message = reason; end $$;
--> statement-breakpoint
insert into ledger_state (id, pruned_before_ms, minutes_from_ms, hours_from_ms) values (1, 0, 0, 0);
