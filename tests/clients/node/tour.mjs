// What a TypeScript client of either SDK does on its tour; the two differ only in how it is built.
export const WATCHED = 'tour://watched';
const PATIENCE = 40_000;
const FEATURES = [
  'lists', 'completion', 'progress', 'logs', 'elicitation', 'rounds',
  'sampling', 'roots', 'cancelling', 'list_changes', 'updates',
];

export class Ears {
  asked = [];
  logged = [];
  heard = [];
  form = async (request) => {
    this.asked.push(request.params.message);
    return { action: 'accept', content: { word: `w${this.asked.length}` } };
  };
  said = async () => ({ role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'stub' });
  roots = async () => ({ roots: [{ uri: 'file:///bridge' }] });
}

function check(truth, about) {
  if (!truth) throw new Error(`not as expected: ${JSON.stringify(about)}`);
}

async function until(condition, about) {
  const end = Date.now() + PATIENCE;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited too long: ${JSON.stringify(about)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

class Tour {
  constructor(client, ears, name, modern) {
    Object.assign(this, { client, ears, name, modern });
  }

  async tool(name, args = {}, options = undefined) {
    const result = await this.client.callTool({ name, arguments: args }, ...(options ?? []));
    return result.content[0].text;
  }

  async lists() {
    const tools = (await this.client.listTools()).tools.map((each) => each.name);
    check(tools.includes('echo') && tools.includes('grow'), tools);
    check((await this.tool('echo', { text: 'hello' })) === 'hello');
    check((await this.client.listPrompts()).prompts[0].name === 'greet');
    check((await this.client.listResources()).resources[0].uri === WATCHED);
    const { resourceTemplates } = await this.client.listResourceTemplates();
    check(resourceTemplates[0].uriTemplate === 'tour://stops/{name}', resourceTemplates);
    const greeted = await this.client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
    check(greeted.messages[0].content.text === 'Good morning, Ada.', greeted);
    const read = await this.client.readResource({ uri: 'tour://stops/mill' });
    check(read.contents[0].text === 'the mill', read);
  }

  async completion() {
    const ref = { type: 'ref/prompt', name: 'greet' };
    const result = await this.client.complete({ ref, argument: { name: 'name', value: 'w' } });
    check(result.completion.values[0] === 'w-gate', result);
  }

  async progress() {
    const steps = [];
    await this.tool('steps', {}, this.options({ onprogress: (each) => steps.push(each.progress) }));
    check(JSON.stringify(steps) === '[1,2,3]', steps);
  }

  async logs() {
    if (this.modern) {
      const meta = { 'io.modelcontextprotocol/logLevel': 'info' };
      await this.client.callTool({ name: 'logs', arguments: {}, _meta: meta });
    } else {
      await this.client.setLoggingLevel('info');
      await this.tool('logs');
    }
    await until(() => this.ears.logged.includes('the bridge creaks'), this.ears.logged);
  }

  async elicitation() {
    this.ears.asked = [];
    check((await this.tool('elicit')) === 'w1', this.ears.asked);
  }

  async rounds() {
    this.ears.asked = [];
    const said = await this.tool('rounds');
    check(said === 'w1 w2 w3' && this.ears.asked[2] === 'the third word?', [said, this.ears.asked]);
  }

  async sampling() {
    const said = await this.tool('sample');
    check(said === 'Paris', said);
  }

  async roots() {
    const said = await this.tool('roots');
    check(said.startsWith('file:///bridge'), said);
  }

  async cancelling() {
    const off = new AbortController();
    const begun = new Promise((resolve) => {
      const options = this.options({ onprogress: resolve, signal: off.signal });
      this.tool('wait', { key: this.name }, options).catch(() => {});
    });
    await begun;
    off.abort('enough');
  }

  async list_changes() {
    const name = `grown_${this.name.replaceAll('-', '_')}`;
    await this.hear('notifications/tools/list_changed', { toolsListChanged: true }, () => this.tool('grow', { name }));
  }

  async updates() {
    if (!this.modern) await this.client.subscribeResource({ uri: WATCHED });
    await this.hear('notifications/resources/updated', { resourceSubscriptions: [WATCHED] }, () => this.tool('touch'));
  }

  async hear(method, wanted, act) {
    const stream = this.modern ? await this.client.listen(wanted) : undefined;
    await act();
    await until(() => this.ears.heard.includes(method), this.ears.heard);
    await stream?.close();
  }
}

async function attempt(tour, feature) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), 2 * PATIENCE);
  });
  try {
    return (await Promise.race([tour[feature](), late])) ?? 'yes';
  } catch (error) {
    return `${error.name}: ${error.message}`.slice(0, 300);
  } finally {
    clearTimeout(timer);
  }
}

/** `connect(url, ears)` returns the client, whether it is modern, and how options are passed. */
export async function travel(targets, connect) {
  const seen = {};
  for (const [name, url] of JSON.parse(targets)) {
    const ears = new Ears();
    try {
      const { client, modern, options, leave } = await connect(url, ears);
      const tour = new Tour(client, ears, name, modern);
      tour.options = options;
      seen[name] = {};
      for (const feature of FEATURES) seen[name][feature] = await attempt(tour, feature);
      await leave();
    } catch (error) {
      seen[name] = Object.fromEntries(FEATURES.map((each) => [each, `no connection: ${error.message}`]));
    }
  }
  console.log(JSON.stringify(seen));
  process.exit(0);
}
