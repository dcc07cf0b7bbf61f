// A number with its noun, by the plural rules of the language.

export function counter(language: string): (count: number, one: string, other: string) => string {
  const rules = new Intl.PluralRules(language);
  const figures = new Intl.NumberFormat(language);
  return (count, one, other) => `${figures.format(count)} ${rules.select(count) === 'one' ? one : other}`;
}
