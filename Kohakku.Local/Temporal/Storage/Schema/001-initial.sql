-- One row. A server raises epoch when it takes the database over; each group of changes raises batch by one, and only while
-- its server's epoch is still the current one. So a server that was superseded writes nothing more, and one that lost its
-- connection during a commit learns from batch whether the commit was done.
create table owner (
    id boolean primary key default true check (id),
    epoch bigint not null,
    batch bigint not null
) with (fillfactor = 10);

insert into owner (epoch, batch) values (0, 0);

create function advance_batch(owner_epoch bigint, next_batch bigint) returns void language plpgsql as $$
begin
    update owner set batch = next_batch where epoch = owner_epoch and batch = next_batch - 1;
    if not found then
        raise exception 'the database has another owner, or another batch, than epoch % and batch %', owner_epoch, next_batch - 1
            using errcode = 'KT001';
    end if;
end
$$;

-- Written again with every change of the run: the free space lets most updates stay on their page and touch no index, which
-- holds as long as no indexed column changes between start and close.
create table run (
    run_id uuid primary key,
    namespace text not null,
    workflow_id text not null,
    workflow_type text not null,
    task_queue text not null,
    status smallint not null,
    start_time timestamptz not null,
    execution_time timestamptz not null,
    close_time timestamptz,
    history_length bigint not null,
    history_size_bytes bigint not null,
    first_run_id uuid not null,
    parent_workflow_id text,
    parent_run_id text,
    root_workflow_id text,
    root_run_id text,
    memo bytea,
    search_attributes bytea,
    -- The search attributes once more, as values that conditions can compare.
    search jsonb,
    state bytea not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- Short-lived and rewritten: compressing it is work for nothing.
alter table run alter column state set storage external;

create index run_by_start on run (namespace, start_time, run_id);
create index run_open on run (namespace, start_time, run_id) where close_time is null;
create index run_by_workflow on run (namespace, workflow_id, start_time);
create index run_by_close on run (close_time) where close_time is not null;

create table current_run (
    namespace text not null,
    workflow_id text not null,
    run_id uuid not null,
    primary key (namespace, workflow_id)
) with (fillfactor = 90);

create table part (
    run_id uuid not null,
    kind smallint not null,
    key text not null,
    data bytea not null,
    primary key (run_id, kind, key)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

alter table part alter column data set storage external;

-- Never updated.
create table history (
    run_id uuid not null,
    first_event_id bigint not null,
    count integer not null,
    events bytea not null,
    primary key (run_id, first_event_id)
);

create table effect (
    id uuid primary key,
    seq bigint generated always as identity,
    data bytea not null
);

create table namespace (
    name text primary key,
    id uuid not null unique,
    data bytea not null
);

create table search_attribute (
    namespace text not null,
    name text not null,
    type smallint not null,
    primary key (namespace, name)
);
