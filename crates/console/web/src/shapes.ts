/** The JSON of the server, as crates/console/src/shapes says it. What a role does not have is absent. */

export interface Use {
  readonly used_bytes: number;
  readonly limit_bytes: number;
}

export interface Waiting extends Use {
  readonly oldest_s: number;
  readonly records?: number;
}

export interface Samples {
  readonly received: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly received_per_s: number;
  readonly accepted_per_s: number;
  readonly rejected_per_s: number;
}

export interface Gateway {
  readonly mode: string;
  readonly samples: Samples;
  readonly protocols: readonly (Samples & { readonly protocol: string })[];
  readonly tenants: readonly { readonly tenant: string; readonly samples: number; readonly samples_per_s: number }[];
  readonly refusals: readonly { readonly code: string; readonly samples: number; readonly samples_per_s: number }[];
  readonly requests: {
    readonly total: number;
    readonly per_s: number;
    readonly statuses: readonly { readonly status: string; readonly total: number; readonly per_s: number }[];
    readonly p50_s?: number;
    readonly p99_s?: number;
  };
  readonly records: { readonly per_s: number; readonly bytes_per_s: number; readonly bytes_per_sample?: number; readonly samples_per_record?: number };
  readonly in_flight: Use;
  readonly active_series?: number;
}

export interface Store {
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly consumed_per_s: number;
  readonly written: number;
  readonly written_per_s: number;
  readonly dead_lettered: number;
  readonly records_dead_lettered: number;
  readonly skipped: number;
  readonly retries: number;
  readonly retries_per_s: number;
  readonly write_p50_s?: number;
  readonly write_p99_s?: number;
  readonly lag_records: number;
  readonly lag_s?: number;
  readonly headroom_s?: number;
  readonly partitions: number;
  readonly memory: Use;
  readonly written_at_ms?: number;
  readonly last_error?: { readonly at_ms: number; readonly is_retryable: boolean; readonly message: string };
}

export interface StorePartitions {
  readonly store: string;
  readonly lag_records: readonly (number | null)[];
  readonly lag_s: readonly (number | null)[];
  readonly headroom_s: readonly (number | null)[];
}

export interface Partitions {
  readonly count: number;
  readonly bytes_per_s?: readonly number[];
  readonly samples_per_s?: readonly number[];
  readonly skew?: number;
  readonly stores?: readonly StorePartitions[];
}

export interface StoreLedger {
  readonly store: string;
  readonly state: string;
  readonly accepted?: number;
  readonly carried_over?: number;
  readonly consumed: number;
  readonly written: number;
  readonly dead_lettered: number;
  readonly skipped: number;
  readonly in_memory: number;
  readonly unread?: number;
  readonly unread_records: number;
  readonly difference: number;
  readonly note?: string;
}

export interface Ledger {
  readonly state: string;
  readonly gateway?: { readonly state: string; readonly received: number; readonly accepted: number; readonly rejected: number; readonly difference: number };
  readonly stores?: readonly StoreLedger[];
  readonly notes: readonly string[];
}

export interface Overview {
  readonly at_ms: number;
  readonly interval_s: number;
  readonly process: {
    readonly role: string;
    readonly version: string;
    readonly hostname: string;
    readonly started_at_ms: number;
    readonly uptime_s: number;
    readonly cpu_cores?: number;
    readonly memory_bytes?: number;
    readonly consoles: number;
  };
  readonly readiness: { readonly is_ready: boolean; readonly reasons: readonly { readonly condition: string; readonly reason: string }[] };
  readonly gateway?: Gateway;
  readonly buffer: { readonly kind: string; readonly retention_s: number; readonly queue?: Use; readonly spool?: Waiting; readonly log?: Waiting };
  readonly partitions?: Partitions;
  readonly stores?: readonly Store[];
  readonly ledger: Ledger;
  readonly point: Readonly<Record<string, number>>;
}

export interface HistoryEvent {
  readonly at_ms: readonly number[];
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface Name {
  readonly metric_name: string;
  readonly samples_per_s?: number;
  readonly bytes_per_s?: number;
  readonly series?: number;
  readonly type?: string;
  readonly unit?: string;
  readonly help?: string;
  readonly partition?: number;
  readonly lanes?: number;
  readonly tenants?: readonly string[];
  readonly senders?: readonly string[];
  readonly last_ms?: number;
}

export interface Names {
  readonly names: readonly Name[];
  readonly matching: number;
  readonly known: number;
  readonly notes: readonly string[];
}

export interface Rejection {
  readonly summary: string;
  readonly last_at: string;
  readonly first_at: string;
  readonly count: number;
  readonly what: string;
  readonly by: string;
  readonly protocol?: string;
  readonly store?: string;
  readonly tenant?: string;
  readonly source?: string;
  readonly metric_name?: string;
  readonly reason: string;
  readonly message: string;
  readonly sample?: string;
}

export interface Rejections {
  readonly rejections: readonly Rejection[];
  readonly omitted?: number;
  readonly notes?: readonly string[];
}

export interface Heat {
  readonly window_s: number;
  readonly skew: number;
  readonly metrics: readonly {
    readonly metric_name: string;
    readonly bytes_per_second: number;
    readonly samples_per_second: number;
    readonly share: number;
    readonly partitions: number;
    readonly suggestion: string | null;
  }[];
}

export interface Counted {
  readonly active_series: number;
  readonly metric_name?: string;
  readonly source?: string;
  readonly tenant?: string;
}

export interface Cardinality {
  readonly active_series: number;
  readonly window_s: number;
  readonly metrics: readonly Counted[];
}
