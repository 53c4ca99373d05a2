-- Money: what is spent and held, per scope and period. All functions but the last run inside a draw, and that one
-- takes the draw's lock first, the organization's row in limit_version: no two of them ever meet.
--
-- A purse is a scope and a period: '2026-11', '2026-11-21' or 'always', by the day (in UTC) on which a request began.
-- Amounts in pico-dollars; as text wherever they leave, because JSON readers may cut long numbers.

CREATE FUNCTION tollgate_period(kind text, day text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind WHEN 'spend:always' THEN 'always' WHEN 'spend:day' THEN day ELSE left(day, 7) END
$$;

CREATE FUNCTION tollgate_period(kind text, moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT tollgate_period(kind, to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
$$;

-- The limits in money that bind a request, each with its purse as it stands, what the request still lacks there, and
-- why it refuses (NULL: it does not).
--
-- request: {scopes, money: {day, worst (null: no bound), field, free {"scope period": what is held for it already},
--          ahead {"scope period": what the worker would like besides}}}
CREATE FUNCTION tollgate_money_limits(organization uuid, request jsonb) RETURNS TABLE (
    scope text, kind text, mode text, period text, picos numeric, spent numeric, held numeric, worst numeric,
    lack numeric, ahead numeric, why text
) LANGUAGE sql STABLE AS $$
    SELECT t.*, CASE
        WHEN t.mode = 'strict' AND request #>> '{money,worst}' IS NULL THEN 'unbounded'
        WHEN t.spent >= t.picos THEN 'reached'
        WHEN t.mode = 'strict' AND t.worst > t.picos THEN 'too_large'
        WHEN t.mode = 'strict' AND t.spent + t.worst > t.picos THEN 'reached'
        WHEN t.spent + t.held + t.lack
            > t.picos + CASE t.mode WHEN 'strict' THEN 0 ELSE greatest(t.worst, div(t.picos, 100)) END THEN 'held'
    END
    FROM (
        SELECT e.scope, e.kind, e.mode, p.period, e.picos, coalesce(c.spent, 0) AS spent, coalesce(c.held, 0) AS held,
            w.worst, greatest(0, w.worst - coalesce((request #>> ARRAY['money', 'free', p.purse])::numeric, 0)) AS lack,
            coalesce((request #>> ARRAY['money', 'ahead', p.purse])::numeric, 0) AS ahead
        FROM limit_effective e
        CROSS JOIN LATERAL (
            SELECT q.period, e.scope || ' ' || q.period AS purse
            FROM tollgate_period(e.kind, request #>> '{money,day}') AS q (period)
        ) p
        CROSS JOIN LATERAL (SELECT coalesce((request #>> '{money,worst}')::numeric, 0) AS worst) w
        LEFT JOIN spend_counter c ON c.scope = e.scope AND c.period = p.period
        WHERE e.organization_id = organization AND e.kind LIKE 'spend:%' AND e.mode <> 'observe'
            AND request -> 'scopes' ? e.scope
    ) t
$$;

-- NULL when all of them allow it. Short `spent`: waiting does not help, even with nothing held it would be refused.
-- Short `held`: what others hold stands in its way.
CREATE FUNCTION tollgate_test_money(organization uuid, request jsonb, moment timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'short', CASE t.why WHEN 'held' THEN 'held' ELSE 'spent' END, 'why', t.why, 'scope', t.scope, 'kind', t.kind,
        'picos', t.picos::text, 'worst', t.worst::text, 'field', request #>> '{money,field}'
    )
    FROM tollgate_money_limits(organization, request) t WHERE t.why IS NOT NULL AND request ? 'money'
    ORDER BY array_position(ARRAY['unbounded', 'reached', 'too_large', 'held'], t.why), t.scope, t.kind LIMIT 1
$$;

-- Whether the holder's journal is open; it stays so until the end of this transaction.
CREATE FUNCTION tollgate_may_hold(holder uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    is_over boolean;
BEGIN
    SELECT f.is_closed INTO is_over FROM metering_journalfolder f WHERE f.id = holder FOR KEY SHARE;
    RETURN NOT coalesce(is_over, false);
END
$$;

-- Moves one holder's counters in one purse, and with them what the purse's own row says is held.
CREATE FUNCTION tollgate_move_money(
    holder uuid, organization uuid, scope text, period text, more_drawn numeric, new_returned numeric, more_shipped numeric
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    before numeric;
    after numeric;
BEGIN
    SELECT greatest(0, h.drawn - h.returned - h.shipped) INTO before FROM spend_hold h
        WHERE h.holder = tollgate_move_money.holder AND h.scope = tollgate_move_money.scope
            AND h.period = tollgate_move_money.period;
    INSERT INTO spend_hold AS h (holder, organization_id, drawn, returned, shipped, scope, period)
        VALUES (holder, organization, more_drawn, coalesce(new_returned, 0), more_shipped, scope, period)
        ON CONFLICT ON CONSTRAINT spend_hold_pkey DO UPDATE SET
            drawn = h.drawn + excluded.drawn, returned = greatest(h.returned, excluded.returned),
            shipped = h.shipped + excluded.shipped
        RETURNING greatest(0, h.drawn - h.returned - h.shipped) INTO after;
    INSERT INTO spend_counter AS c (organization_id, spent, held, scope, period)
        VALUES (organization, 0, after - coalesce(before, 0), scope, period)
        ON CONFLICT ON CONSTRAINT spend_counter_pkey DO UPDATE SET held = c.held + excluded.held;
END
$$;

-- What a worker gives back and owes. money: [[scope, period, all that it ever returned, debt]]. A debt is what ended
-- requests cost beyond all that was held for them: it is paid without a question, because it is spent.
CREATE FUNCTION tollgate_pay_money(holder uuid, organization uuid, money jsonb, moment timestamptz) RETURNS void
LANGUAGE sql VOLATILE AS $$
    SELECT tollgate_move_money(
        holder, organization, p ->> 0, p ->> 1, (p ->> 3)::numeric, (p ->> 2)::numeric, 0
    ) FROM jsonb_array_elements(money) p WHERE tollgate_may_hold(holder)
$$;

-- What a tested request lacks, in all its purses; and ahead, where a quarter is left afterwards, at most a twentieth.
CREATE FUNCTION tollgate_take_money(holder uuid, organization uuid, request jsonb, moment timestamptz) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF request ? 'money' AND tollgate_may_hold(holder) THEN
        PERFORM tollgate_move_money(holder, organization, t.scope, t.period, t.lack + t.ahead, NULL, 0) FROM (
            SELECT l.scope, l.period, max(l.lack) AS lack, min(
                CASE WHEN l.picos - l.spent - l.held - l.lack - least(l.ahead, div(l.picos, 20)) >= div(l.picos, 4)
                    THEN least(l.ahead, div(l.picos, 20)) ELSE 0 END
            ) AS ahead
            FROM tollgate_money_limits(organization, request) l GROUP BY l.scope, l.period OFFSET 0
        ) t WHERE t.lack + t.ahead > 0;
    END IF;
    RETURN NULL;
END
$$;

-- After a draw: {purses [[scope, period, drawn, returned, shipped, room]], limits [[scope, kind, picos, mode]]}, the
-- limits when the worker's version is another one. Room: what the tightest limit leaves beside spent and held.
CREATE FUNCTION tollgate_money_state(holder uuid, organization uuid, batch jsonb, moment timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('purses', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            t.scope, t.period, coalesce(h.drawn, 0)::text, coalesce(h.returned, 0)::text, coalesce(h.shipped, 0)::text,
            t.room::text
        )), '[]')
        FROM (
            SELECT l.scope, l.period, min(l.picos - l.spent - l.held) AS room
            FROM jsonb_array_elements(batch -> 'requests') r, tollgate_money_limits(organization, r) l
            WHERE r ? 'money' GROUP BY l.scope, l.period
            UNION ALL
            SELECT p ->> 0, p ->> 1, NULL FROM jsonb_array_elements(batch -> 'money') p
        ) t
        LEFT JOIN spend_hold h ON h.holder = tollgate_money_state.holder AND h.scope = t.scope AND h.period = t.period
    )) || CASE WHEN (batch ->> 'version')::bigint IS DISTINCT FROM v.version THEN jsonb_build_object('limits', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(e.scope, e.kind, e.picos::text, e.mode)), '[]')
        FROM limit_effective e WHERE e.organization_id = organization AND e.kind LIKE 'spend:%'
    )) ELSE '{}' END
    FROM limit_version v WHERE v.organization_id = organization
$$;

-- The part of a shipment: rows really written (in the temporary table shipped_money) are spent, in every scope and
-- period, and leave the holds that they name. A holder is a process, named by its journal's folder: once that is
-- shipped to its end, it holds nothing any more. The folder's row is locked first: a draw that is on its way waits.
CREATE FUNCTION tollgate_ship_money(closed uuid[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF cardinality(closed) > 0 THEN
        PERFORM FROM metering_journalfolder f WHERE f.id = ANY (closed) FOR UPDATE;
    END IF;
    PERFORM FROM limit_version v WHERE v.organization_id IN (
        SELECT s.organization_id FROM shipped_money s
        UNION SELECT h.organization_id FROM spend_hold h WHERE h.holder = ANY (closed)
    ) ORDER BY v.organization_id FOR UPDATE;
    INSERT INTO spend_counter AS c (organization_id, spent, held, scope, period)
        SELECT s.organization_id, sum(s.cost_picos), 0, t.scope, tollgate_period(k.kind, s.started_at)
        FROM shipped_money s
        CROSS JOIN LATERAL (VALUES
            ('org:' || s.organization_id), ('ws:' || s.workspace_id), ('key:' || s.api_key_id)
        ) AS t (scope)
        CROSS JOIN (VALUES ('spend:month'), ('spend:day'), ('spend:always')) AS k (kind)
        WHERE s.counts AND s.cost_picos > 0 AND t.scope IS NOT NULL
        GROUP BY 1, 4, 5 ORDER BY 4, 5
        ON CONFLICT ON CONSTRAINT spend_counter_pkey DO UPDATE SET spent = c.spent + excluded.spent;
    PERFORM tollgate_move_money(t.holder, t.organization_id, t.scope, t.period, 0, NULL, t.cost) FROM (
        SELECT s.holder, s.organization_id, h.scope, h.period, sum(s.cost_picos) AS cost
        FROM shipped_money s
        CROSS JOIN LATERAL (
            SELECT split_part(x, ' ', 1) AS scope, split_part(x, ' ', 2) AS period FROM unnest(s.holds) x
        ) h
        WHERE s.cost_picos > 0 AND EXISTS (
            SELECT FROM spend_hold k WHERE k.holder = s.holder AND k.scope = h.scope AND k.period = h.period
        )
        GROUP BY 1, 2, 3, 4 ORDER BY 3, 4, 1 OFFSET 0
    ) t;
    IF cardinality(closed) > 0 THEN
        UPDATE spend_counter c SET held = c.held - t.held FROM (
            SELECT h.scope, h.period, sum(greatest(0, h.drawn - h.returned - h.shipped)) AS held
            FROM spend_hold h WHERE h.holder = ANY (closed) GROUP BY 1, 2
        ) t WHERE c.scope = t.scope AND c.period = t.period;
        DELETE FROM spend_hold h WHERE h.holder = ANY (closed);
    END IF;
END
$$;
