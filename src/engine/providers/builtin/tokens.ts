// A cheap count of tokens, for usage that costs nothing: four characters a token, as English averages.

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
