// The words of a sentence that carry its meaning: folded, without function words, with plural and possessive endings off.

const FUNCTION_WORDS = new Set(
  (
    'a about above after again against all also although am among an and another any are as at be because been before being below between ' +
    'both but by can cannot could did do does doing done down during each either else ever every few for from further had has have having he ' +
    'her here hers herself him himself his how however i if in into is it its itself just let may me might mine more most much must my myself ' +
    'neither no nor not now of off on once one only or other others ought our ours ourselves out over own per rather same shall she should ' +
    'since so some still such than that the their theirs them themselves then there therefore these they this those though through thus to ' +
    'too under until unto up upon us very was we were what whatever when where whether which while who whom whose why will with within without ' +
    'would yet you your yours yourself yourselves'
  ).split(' '),
);

const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

export function contentWords(sentence: string): string[] {
  const words: string[] = [];
  for (const [match] of sentence.toLowerCase().matchAll(WORD)) {
    const word = match.replace(/['’]s$/, '');
    if (word.length > 1 && !FUNCTION_WORDS.has(word)) words.push(withoutPlural(word));
  }
  return words;
}

function withoutPlural(word: string): string {
  if (word.length > 4 && word.endsWith('ies')) return `${word.slice(0, -3)}y`;
  if (word.length > 3 && word.endsWith('s') && !word.endsWith('ss') && !word.endsWith('us'))
    return word.slice(0, -1);
  return word;
}
