/** Asking the server: bounded in time, cancellable, and an endpoint that is not there is an answer as well. */

/** Why an answer is not there. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** Whether this process does not have the endpoint. */
  get isAbsent(): boolean {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

const TIMEOUT_MS = 30_000;

interface ErrorBody {
  readonly error?: unknown;
  readonly code?: unknown;
}

const failure = async (response: Response): Promise<ApiError> => {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as ErrorBody;
    if (typeof body.error === "string") return new ApiError(response.status, String(body.code ?? ""), body.error);
  } catch {
    // Not JSON: the text says it.
  }
  const said = text.trim().slice(0, 300);
  return new ApiError(response.status, "", said === "" ? `the server answered ${response.status}` : said);
};

/** The address of a path beside the page, wherever a proxy has put it. */
export const url = (path: string, parameters: readonly (readonly [string, string])[] = []): string => {
  const query = new URLSearchParams(parameters.filter(([, value]) => value !== "").map(([name, value]) => [name, value])).toString();
  return new URL(path.replace(/^\//, "") + (query === "" ? "" : `?${query}`), document.baseURI.replace(/[#?].*$/, "")).toString();
};

/** Nobody wants the answer any more. */
const cancelled = (): DOMException => new DOMException("nobody wants the answer any more", "AbortError");

/** What `read` makes of the answer, or an error that says why there is none. The bounds hold until it was read to its end. */
export const ask = async <T>(address: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> => {
  const control = new AbortController();
  const outer = init.signal;
  const give = (): void => control.abort(outer?.reason);
  if (outer?.aborted === true) give();
  outer?.addEventListener("abort", give);
  const timer = window.setTimeout(() => control.abort(new ApiError(0, "timeout", `no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    const response = await fetch(address, { cache: "no-store", credentials: "same-origin", ...init, signal: control.signal });
    if (!response.ok) throw await failure(response);
    const found = await read(response);
    if (outer?.aborted === true) throw cancelled();
    return found;
  } catch (error) {
    if (outer?.aborted === true) throw cancelled();
    // Only the time limit is left, whatever a browser makes of it in the middle of a body.
    if (control.signal.aborted) throw control.signal.reason;
    if (error instanceof ApiError) throw error;
    if (error instanceof SyntaxError) throw new ApiError(0, "unreadable", "the server's answer is not JSON");
    throw new ApiError(0, "unreachable", "the server does not answer");
  } finally {
    window.clearTimeout(timer);
    outer?.removeEventListener("abort", give);
  }
};

export const json = async <T>(response: Response): Promise<T> => (await response.json()) as T;

export const getJson = <T>(path: string, parameters: readonly (readonly [string, string])[] = [], signal?: AbortSignal): Promise<T> =>
  ask(url(path, parameters), { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) }, json<T>);

/** Whether an error only says that nobody wants the answer any more. */
export const isCancelled = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
