/** Values made once for an object and a form, and kept as long as the object. */
export class Kept<F, V> {
  readonly #values = new WeakMap<object, Map<F, V>>();

  get(source: object, form: F, make: () => V): V {
    const forms = this.#values.get(source) ?? new Map<F, V>();
    this.#values.set(source, forms);
    if (!forms.has(form)) forms.set(form, make());
    return forms.get(form)!;
  }
}
