// The floor that collecting is measured against: an object that does one INSERT of the same body.

export class Floor {
  constructor({ storage }) {
    this.sql = storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS body (id INTEGER PRIMARY KEY, json TEXT NOT NULL)");
  }

  async fetch(request) {
    this.sql.exec("INSERT INTO body (json) VALUES (?)", await request.text());
    return new Response(null, { status: 204 });
  }
}

export default {
  fetch: (request, env) => env.FLOOR.get(env.FLOOR.idFromName("floor")).fetch(request),
};
