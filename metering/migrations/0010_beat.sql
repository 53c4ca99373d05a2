-- A worker's sign of life, once a second.
--
-- number:   grows by one with each; the first one (1) registers the worker
-- answered: the last number whose answer the worker has acted on
-- known:    {organization: version} of the organizations that it serves; answered with those that have changed
-- slots:    [[organization, number of its last draw, {scope: in use}]]; replaces, unless a later draw has been here
CREATE FUNCTION tollgate_beat(
    worker uuid, beat_number bigint, last_answered bigint, place jsonb, known jsonb, slots jsonb
) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    declared jsonb;
    moment timestamptz;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF beat_number = 1 THEN
        INSERT INTO limit_worker (id, number, answered, beat_at, started_at, host, pid)
            VALUES (worker, 1, 0, tollgate_now(), tollgate_now(), place ->> 'host', (place ->> 'pid')::integer)
            ON CONFLICT (id) DO NOTHING;
    ELSE
        UPDATE limit_worker w
            SET number = greatest(w.number, beat_number), answered = greatest(w.answered, last_answered),
                beat_at = tollgate_now(), is_dead = false
            WHERE w.id = worker;
        IF NOT FOUND THEN
            RETURN '{"is_forgotten": true}';
        END IF;
    END IF;
    FOR declared IN SELECT d FROM jsonb_array_elements(slots) d ORDER BY d ->> 0 LOOP
        IF EXISTS (
            SELECT FROM jsonb_each_text(declared -> 2) t LEFT JOIN limit_slot s ON s.scope = t.key AND s.worker_id = worker
            WHERE s.in_use IS DISTINCT FROM t.value::integer
        ) THEN
            PERFORM FROM limit_version v WHERE v.organization_id = (declared ->> 0)::uuid FOR UPDATE;
            INSERT INTO limit_slot (worker_id, organization_id, in_use, scope)
                SELECT worker, (declared ->> 0)::uuid, t.value::integer, t.key FROM jsonb_each_text(declared -> 2) t
                WHERE EXISTS (
                    SELECT FROM limit_draw d WHERE d.worker_id = worker
                        AND d.organization_id = (declared ->> 0)::uuid AND d.seq = (declared ->> 1)::bigint
                )
                ON CONFLICT (scope, worker_id) DO UPDATE SET in_use = excluded.in_use;
        END IF;
    END LOOP;
    moment := tollgate_now();
    RETURN jsonb_build_object(
        'now_us', (extract(epoch FROM moment) * 1000000)::bigint,
        'changed', (
            SELECT coalesce(jsonb_agg(v.organization_id), '[]') FROM limit_version v
            JOIN jsonb_each_text(known) k ON v.organization_id = k.key::uuid WHERE v.version <> k.value::bigint
        ),
        'workers', (
            SELECT coalesce(jsonb_object_agg(w.id, w.number), '{}') FROM limit_worker w
            WHERE w.id <> worker AND (NOT w.is_dead OR EXISTS (SELECT FROM limit_slot s WHERE s.worker_id = w.id AND s.in_use > 0))
        )
    );
END
$$;

-- A worker that another one has seen standing still for 15 s: its slots are free again.
CREATE FUNCTION tollgate_bury(worker uuid, seen_number bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE limit_worker w SET is_dead = true WHERE w.id = worker AND w.number = seen_number;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM limit_slot s WHERE s.worker_id = worker;
    RETURN true;
END
$$;
