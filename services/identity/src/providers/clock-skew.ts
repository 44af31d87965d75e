/** How far a provider’s clock and ours may differ; Hasura is told the same (`allowed_skew`). */
export const CLOCK_SKEW_SECONDS = 5;
