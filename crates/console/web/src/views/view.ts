/** What a view is to the shell. */

import type { Live } from "../live";
import type { Place } from "../router";

export interface View {
  readonly title: string;
  readonly element: HTMLElement;
  /** The address changed within this view. */
  readonly go?: (place: Place) => void;
  /** `/` was pressed. */
  readonly search?: () => void;
  readonly destroy?: () => void;
}

export type MakeView = (place: Place, live: Live) => View;
