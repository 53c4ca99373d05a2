-- One draw of one worker for one organization: what it posts is applied, then its waiting requests are granted
-- everything or nothing, in order; last, where plenty is left, it may take ahead.
--
-- batch:  version, is_idle (nothing runs there), posts [[scope, class, kind, growing total]], slots {scope: in use}, want [[scope, class, kind, n]],
--         requests [{scopes, class, input, money}], money and holder (0011_money.sql)
-- answer: version, now_us, results [1 | object], buckets [[scope, class, kind, capacity, level, lent]],
--         limits [[scope, class, kind, capacity]] when the worker's version is another one; then results is null if
--         something runs there: the worker has to declare it first under the limits that it now knows
CREATE FUNCTION tollgate_draw(worker uuid, draw_number bigint, organization uuid, batch jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    unit CONSTANT bigint := 60000000;
    largest CONSTANT bigint := 1000000000;
    longest_us CONSTANT bigint := 4000000000;
    version_now bigint;
    last_number bigint;
    answer jsonb;
    has_money boolean;
    holder uuid := (batch ->> 'holder')::uuid;
    moment timestamptz;
    now_us bigint;
    the_scopes text[];
    the_classes text[];
    -- the buckets that this draw may touch
    b_scope text[];
    b_class text[];
    b_kind text[];
    b_capacity bigint[];
    b_level bigint[];
    b_changed boolean[];
    b_lent bigint[];
    b_count integer;
    -- the concurrency limits of these scopes
    c_scope text[];
    c_capacity bigint[];
    c_used bigint[];
    c_granted integer[];
    c_count integer;
    results jsonb[] := '{}';
    item jsonb;
    request jsonb;
    money_needs jsonb;
    refused_key text;
    refused_needs jsonb;
    result jsonb;
    last_key text;
    request_key text;
    mine integer[];
    my_slots integer[];
    input bigint;
    i integer;
    short integer;
    short_slot integer;
    wait_us bigint;
    longest_wait_us bigint;
    needed bigint;
    prior bigint;
    has_touched boolean := false;
    is_scarce boolean := false;
    must_declare boolean;
BEGIN
    SELECT v.version INTO version_now FROM limit_version v WHERE v.organization_id = organization FOR UPDATE;
    IF version_now IS NULL THEN
        INSERT INTO limit_version (organization_id, version) VALUES (organization, 0) ON CONFLICT DO NOTHING;
        SELECT v.version INTO version_now FROM limit_version v WHERE v.organization_id = organization FOR UPDATE;
    END IF;
    SELECT d.seq, d.answer INTO last_number, answer
        FROM limit_draw d WHERE d.worker_id = worker AND d.organization_id = organization;
    IF last_number = draw_number THEN
        RETURN answer;
    ELSIF last_number > draw_number THEN
        RETURN '{"is_late": true}';
    ELSIF NOT EXISTS (SELECT FROM limit_worker w WHERE w.id = worker) THEN
        RETURN '{"is_forgotten": true}';
    END IF;
    has_money := EXISTS (
        SELECT FROM limit_effective e WHERE e.organization_id = organization AND e.kind LIKE 'spend:%'
    );
    moment := tollgate_now();
    now_us := (extract(epoch FROM moment) * 1000000)::bigint;

    -- Buckets, refilled to this moment. A clock that stepped back is believed, and refills nothing.
    SELECT array_agg(DISTINCT s.scope) INTO the_scopes FROM (
        SELECT jsonb_array_elements_text(r -> 'scopes') AS scope FROM jsonb_array_elements(batch -> 'requests') r
        UNION SELECT p ->> 0 FROM jsonb_array_elements(batch -> 'posts') p
        UNION SELECT jsonb_object_keys(batch -> 'slots')
    ) s;
    SELECT array_agg(DISTINCT c.model_class) INTO the_classes FROM (
        SELECT '' AS model_class
        UNION SELECT r ->> 'class' FROM jsonb_array_elements(batch -> 'requests') r
        UNION SELECT p ->> 1 FROM jsonb_array_elements(batch -> 'posts') p
    ) c;
    SELECT array_agg(t.scope), array_agg(t.model_class), array_agg(t.kind), array_agg(t.capacity), array_agg(t.level),
            array_agg(t.has_stepped_back), array_agg(0::bigint), count(*)
        INTO b_scope, b_class, b_kind, b_capacity, b_level, b_changed, b_lent, b_count
        FROM (
            SELECT e.scope, e.model_class, e.kind, least(e.capacity, largest) AS capacity,
                CASE WHEN b.level IS NULL THEN least(e.capacity, largest) * unit
                ELSE least(
                    least(e.capacity, largest) * unit,
                    b.level + least(e.capacity, largest) * least(longest_us, greatest(0, now_us - b.as_of_us))
                ) END AS level,
                coalesce(now_us < b.as_of_us, false) AS has_stepped_back
            FROM limit_effective e LEFT JOIN limit_bucket b USING (scope, model_class, kind)
            WHERE e.organization_id = organization AND e.scope = ANY (the_scopes)
                AND e.model_class = ANY (the_classes) AND e.kind IN ('requests', 'input_tokens', 'output_tokens')
            ORDER BY e.scope, e.model_class, e.kind
        ) t;

    -- Posts: growing totals, so that only what is new since the last one counts.
    FOR item IN SELECT p FROM jsonb_array_elements(batch -> 'posts') p LOOP
        SELECT p.total INTO prior FROM limit_post p WHERE p.worker_id = worker
            AND p.scope = item ->> 0 AND p.model_class = item ->> 1 AND p.kind = item ->> 2;
        FOR i IN 1 .. b_count LOOP
            IF b_scope[i] = item ->> 0 AND b_class[i] = item ->> 1 AND b_kind[i] = item ->> 2 THEN
                b_level[i] := least(
                    b_capacity[i] * unit, b_level[i] + ((item ->> 3)::bigint - coalesce(prior, 0)) * unit
                );
                b_changed[i] := true;
            END IF;
        END LOOP;
        INSERT INTO limit_post (worker_id, total, scope, model_class, kind)
            VALUES (worker, (item ->> 3)::bigint, item ->> 0, item ->> 1, item ->> 2)
            ON CONFLICT (worker_id, scope, model_class, kind) DO UPDATE SET total = excluded.total;
    END LOOP;
    IF batch -> 'money' <> '[]' THEN
        PERFORM tollgate_pay_money(holder, organization, batch -> 'money', moment);
    END IF;

    -- Slots: what this worker says replaces what it said before.
    IF batch -> 'slots' <> '{}' THEN
        INSERT INTO limit_slot (worker_id, organization_id, in_use, scope)
            SELECT worker, organization, s.value::integer, s.key FROM jsonb_each_text(batch -> 'slots') s
            ON CONFLICT (scope, worker_id) DO UPDATE SET in_use = excluded.in_use
            WHERE limit_slot.in_use <> excluded.in_use;
    END IF;
    SELECT array_agg(t.scope), array_agg(t.capacity), array_agg(t.used), array_agg(0), count(*)
        INTO c_scope, c_capacity, c_used, c_granted, c_count
        FROM (
            SELECT e.scope, e.capacity, (
                SELECT coalesce(sum(s.in_use), 0) FROM limit_slot s WHERE s.scope = e.scope
            ) AS used
            FROM limit_effective e
            WHERE e.organization_id = organization AND e.scope = ANY (the_scopes) AND e.kind = 'concurrency'
        ) t;

    -- Requests, in order of arrival.
    must_declare := (batch ->> 'version')::bigint IS DISTINCT FROM version_now AND NOT (batch ->> 'is_idle')::boolean;
    FOR request IN SELECT r FROM jsonb_array_elements(batch -> 'requests') r WHERE NOT must_declare LOOP
        request_key := (request ->> 'scopes') || (request ->> 'class');
        IF request_key IS DISTINCT FROM last_key THEN
            last_key := request_key;
            mine := '{}';
            FOR i IN 1 .. b_count LOOP
                IF request -> 'scopes' ? b_scope[i] AND b_class[i] IN ('', request ->> 'class') THEN
                    mine := mine || i;
                END IF;
            END LOOP;
            my_slots := '{}';
            FOR i IN 1 .. c_count LOOP
                IF request -> 'scopes' ? c_scope[i] THEN
                    my_slots := my_slots || i;
                END IF;
            END LOOP;
        END IF;
        input := (request ->> 'input')::bigint;
        result := NULL;

        money_needs := NULL;
        -- Of equal requests, all that come after a refused one are refused: money only grows less within a draw.
        IF has_money AND (request -> 'scopes')::text || (request -> 'money')::text = refused_key THEN
            money_needs := refused_needs;
        ELSIF has_money THEN
            money_needs := tollgate_test_money(organization, request, moment);
            IF money_needs IS NOT NULL THEN
                refused_key := (request -> 'scopes')::text || (request -> 'money')::text;
                refused_needs := money_needs;
            END IF;
        END IF;
        IF money_needs ->> 'short' = 'spent' THEN
            result := money_needs;
        END IF;

        IF result IS NULL THEN
            short := NULL;
            longest_wait_us := 0;
            FOREACH i IN ARRAY mine LOOP
                needed := CASE b_kind[i] WHEN 'input_tokens' THEN least(input, b_capacity[i]) ELSE 1 END * unit;
                IF (CASE b_kind[i] WHEN 'output_tokens' THEN b_level[i] <= 0 ELSE b_level[i] < needed END) THEN
                    wait_us := CASE WHEN b_capacity[i] > 0 THEN (needed - b_level[i] - 1) / b_capacity[i] + 1
                        ELSE 86400000000 END;
                    IF wait_us > longest_wait_us THEN
                        longest_wait_us := wait_us;
                        short := i;
                    END IF;
                END IF;
            END LOOP;
            IF short IS NOT NULL THEN
                result := jsonb_build_object(
                    'short', 'rate', 'scope', b_scope[short], 'class', b_class[short], 'kind', b_kind[short],
                    'capacity', b_capacity[short], 'wait_us', longest_wait_us,
                    'full_us', now_us + CASE WHEN b_capacity[short] > 0
                        THEN unit - b_level[short] / b_capacity[short] ELSE 86400000000 END
                );
            END IF;
        END IF;

        IF result IS NULL THEN
            short_slot := NULL;
            FOREACH i IN ARRAY my_slots LOOP
                IF c_used[i] >= c_capacity[i] THEN
                    short_slot := i;
                    EXIT;
                END IF;
            END LOOP;
            IF short_slot IS NOT NULL THEN
                result := jsonb_build_object(
                    'short', 'slot', 'scope', c_scope[short_slot], 'capacity', c_capacity[short_slot]
                );
            ELSIF money_needs IS NOT NULL THEN
                result := money_needs;
            END IF;
        END IF;

        IF result IS NULL THEN
            FOREACH i IN ARRAY mine LOOP
                b_changed[i] := true;
                b_level[i] := b_level[i]
                    - CASE b_kind[i] WHEN 'requests' THEN 1 WHEN 'input_tokens' THEN input ELSE 0 END * unit;
                is_scarce := is_scarce OR b_level[i] < b_capacity[i] * unit / 4;
            END LOOP;
            FOREACH i IN ARRAY my_slots LOOP
                c_used[i] := c_used[i] + 1;
                c_granted[i] := c_granted[i] + 1;
            END LOOP;
            IF has_money THEN
                result := tollgate_take_money(holder, organization, request, moment);
            END IF;
            result := coalesce(result, '1');
        END IF;
        results[cardinality(results) + 1] := result;
    END LOOP;

    -- Ahead: only where a quarter is left afterwards, and never more than a twentieth.
    FOR item IN SELECT w FROM jsonb_array_elements(batch -> 'want') w WHERE NOT must_declare LOOP
        FOR i IN 1 .. b_count LOOP
            IF b_scope[i] = item ->> 0 AND b_class[i] = item ->> 1 AND b_kind[i] = item ->> 2 THEN
                needed := least((item ->> 3)::bigint, b_capacity[i] / 20);
                IF b_level[i] - needed * unit >= b_capacity[i] * unit / 4 THEN
                    b_lent[i] := needed;
                    b_level[i] := b_level[i] - needed * unit;
                    b_changed[i] := b_changed[i] OR needed > 0;
                END IF;
            END IF;
        END LOOP;
    END LOOP;

    FOR i IN 1 .. b_count LOOP
        has_touched := has_touched OR b_changed[i];
    END LOOP;
    IF has_touched THEN
        INSERT INTO limit_bucket (organization_id, level, as_of_us, scope, model_class, kind)
            SELECT organization, t.level, now_us, t.scope, t.model_class, t.kind
            FROM unnest(b_scope, b_class, b_kind, b_level, b_changed)
                AS t (scope, model_class, kind, level, has_changed)
            WHERE t.has_changed
            ON CONFLICT (scope, model_class, kind) DO UPDATE SET level = excluded.level, as_of_us = excluded.as_of_us;
    END IF;
    IF 0 < ANY (c_granted) THEN
        INSERT INTO limit_slot (worker_id, organization_id, in_use, scope)
            SELECT worker, organization, t.granted, t.scope
            FROM unnest(c_scope, c_granted) AS t (scope, granted) WHERE t.granted > 0
            ON CONFLICT (scope, worker_id) DO UPDATE SET in_use = limit_slot.in_use + excluded.in_use;
    END IF;

    answer := jsonb_build_object('version', version_now, 'now_us', now_us, 'results', CASE WHEN NOT must_declare THEN to_jsonb(results) END);
    IF b_count > 0 THEN
        answer := answer || jsonb_build_object('buckets', (
            SELECT jsonb_agg(jsonb_build_array(t.scope, t.model_class, t.kind, t.capacity, t.level, t.lent))
            FROM unnest(b_scope, b_class, b_kind, b_capacity, b_level, b_lent)
                AS t (scope, model_class, kind, capacity, level, lent)
        ));
    END IF;
    IF (batch ->> 'version')::bigint IS DISTINCT FROM version_now THEN
        answer := answer || jsonb_build_object('limits', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(e.scope, e.model_class, e.kind, e.capacity)), '[]')
            FROM limit_effective e WHERE e.organization_id = organization
        ));
    END IF;
    IF has_money OR batch -> 'money' <> '[]' OR answer ? 'limits' THEN
        answer := answer || jsonb_build_object('money', tollgate_money_state(holder, organization, batch, moment));
    END IF;
    INSERT INTO limit_draw (worker_id, organization_id, seq, answer)
        VALUES (worker, organization, draw_number, answer)
        ON CONFLICT (worker_id, organization_id) DO UPDATE SET seq = excluded.seq, answer = excluded.answer;

    -- What PostgreSQL's own crash may lose: rates while plenty is left. Slots and money never.
    IF NOT is_scarce AND c_count = 0 AND NOT has_money THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    RETURN answer;
END
$$;
