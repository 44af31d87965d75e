/**
 * The name all databases of this run begin with. The runner's main process computes it and its
 * workers inherit it, so that the run's end finds what a killed test file left behind.
 */
process.env.LATCHKEY_TEST_RUN ??= `latchkey_test_${process.pid}_`;

export const RUN_PREFIX: string = process.env.LATCHKEY_TEST_RUN;
