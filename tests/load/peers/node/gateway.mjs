// The gateway as a Node shop would write it. NODE_MODE=soap: npm "soap" for server and clients. NODE_MODE=tuned: node:https
// and libxml2-wasm alone, written by hand. Both check question and answer against the schema, compiled once; NODE_WORKERS
// processes share the port.
import cluster from 'node:cluster';
import https from 'node:https';
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { XmlDocument, XsdValidator, ParseOption } from 'libxml2-wasm';
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs';
const here = path.dirname(new URL(import.meta.url).pathname),
  root = path.dirname(here),
  E = process.env;
const UP = E.UPSTREAM || 'http://127.0.0.1:28580',
  TMO = +(E.UPSTREAM_TIMEOUT_MS || 5000),
  PORT = +(E.PORT || 29102),
  CERTS = E.CERTS || root + '/certs',
  MODE = E.NODE_MODE || 'soap',
  W = +(E.NODE_WORKERS || 2);
const NS = 'http://schema.forsakringskassan.se/integration/ssbt/10',
  ENV = 'http://schemas.xmlsoap.org/soap/envelope/';
const SECTIONS = ['AF', 'CSN', 'FK', 'SKV', 'SO', 'TNS', 'MIV'];
if (cluster.isPrimary && W > 1) {
  for (let i = 0; i < W; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const w of Object.values(cluster.workers)) w.process.kill();
    process.exit(0);
  });
  console.log(`node gateway on ${PORT} mode ${MODE} workers ${W}`);
} else await main();

async function main() {
  xmlRegisterFsInputProviders();
  const xsdPath = root + '/contract-own/envelope.xsd';
  const xsd = XmlDocument.fromBuffer(fs.readFileSync(xsdPath), { url: xsdPath });
  const validator = XsdValidator.fromDoc(xsd);
  const PO = { option: ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE };
  const esc = s => String(s).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const secure = UP.startsWith('https:'),
    client = secure ? https : http;
  const agent = new client.Agent({
    keepAlive: true,
    maxSockets: Infinity,
    maxFreeSockets: 1024,
    ...(secure && {
      key: fs.readFileSync(CERTS + '/gateway.key'),
      cert: fs.readFileSync(CERTS + '/gateway.pem'),
      ca: fs.readFileSync(CERTS + '/ca.pem'),
    }),
  });
  class BtFault extends Error {}
  const fault = (code, msg) =>
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${ENV}"><soap:Body><soap:Fault><faultcode>soap:${code}</faultcode><faultstring>${esc(msg)}</faultstring></soap:Fault></soap:Body></soap:Envelope>`;

  function bodyChild(doc) {
    // first element child of soap:Body
    for (let n = doc.root.firstChild; n; n = n.next)
      if (n.name === 'Body' && n.namespaceUri === ENV) for (let c = n.firstChild; c; c = c.next) if (c.name) return c;
    throw new Error('no soap body');
  }
  function splice(xml, csn) {
    // upstream envelope -> content of <ssbt:data>
    const doc = XmlDocument.fromBuffer(Buffer.isBuffer(xml) ? xml : Buffer.from(xml), PO);
    try {
      const p = bodyChild(doc);
      if (p.name === 'Fault' && p.namespaceUri === ENV) {
        let s = '';
        for (let c = p.firstChild; c; c = c.next) if (c.name === 'faultstring') s = c.content;
        throw new BtFault(s);
      }
      if (csn)
        return `<ssbt:data><ssbt:svar>${Buffer.from(p.canonicalizeToString({ mode: 1 })).toString('base64')}</ssbt:svar></ssbt:data>`;
      const map = p.namespaces;
      let decl = '',
        inner = '';
      if (map.ssbt && map.ssbt !== NS) {
        for (let c = p.firstChild; c; c = c.next) inner += c.name ? c.canonicalizeToString({ mode: 1 }) : '';
      } else {
        for (const [k, u] of Object.entries(map))
          if (u !== ENV && u !== NS && k !== 'xml') decl += k ? ` xmlns:${k}="${esc(u)}"` : ` xmlns="${esc(u)}"`;
        for (let c = p.firstChild; c; c = c.next) if (c.name) inner += c.toString({ format: false });
      }
      return `<ssbt:data${decl}>${inner}</ssbt:data>`;
    } finally {
      doc.dispose();
    }
  }
  function errXml(e) {
    if (e instanceof BtFault)
      return `<ssbt:error><ssbt:kalla>BT</ssbt:kalla><ssbt:felkod>SOAPFAULT</ssbt:felkod><ssbt:felmeddelande>${esc(e.message)}</ssbt:felmeddelande></ssbt:error>`;
    const to = e.code === 'ECONNABORTED' || e.code === 'ETIMEDOUT';
    return `<ssbt:error><ssbt:kalla>SSBT</ssbt:kalla><ssbt:felkod>${to ? 'TIMEOUT' : 'FEL'}</ssbt:felkod><ssbt:felmeddelande>${to ? 'Bastjänsten svarade inte i tid' : esc(e.message)}</ssbt:felmeddelande></ssbt:error>`;
  }

  // f: {g: general parameters, s: {AF: {on, per}, ...}} -> answer envelope
  async function combine(f, call, echo) {
    const { g } = f,
      per = n => f.s[n].per || g.per,
      pid = g.pid,
      a = g.ing,
      q = {
        AF: () => call.af({ g, p: per('AF'), a, pid }),
        CSN: () => call.csn({ g, p: per('CSN'), a, pid }),
        SKV: () => call.skv({ g, a, pid }),
        SO: () => call.so({ g, p: per('SO'), a, pid }),
        TNS: () => call.tns({ pid }),
        MIV: () => call.miv({ g, a, pid }),
      };
    const parts = await Promise.all(
      SECTIONS.map(async n => {
        if (!f.s[n].on) return '';
        let x;
        try {
          x = n === 'FK' ? await lefi(f.s.FK.fraga) : splice(await q[n](), n === 'CSN');
        } catch (e) {
          x = errXml(e);
        }
        return `<ssbt:${n}>${x}</ssbt:${n}>`;
      }),
    );
    return `<ssbt:hamtaBastjanstInformationResponse xmlns:ssbt="${NS}">${echo || ''}${g.tid ? `<ssbt:frageTidpunkt>${g.tid}</ssbt:frageTidpunkt>` : ''}${g.corr != null ? `<ssbt:korrelationsid>${esc(g.corr)}</ssbt:korrelationsid>` : ''}<ssbt:svarsdata>${parts.join('')}</ssbt:svarsdata></ssbt:hamtaBastjanstInformationResponse>`;
  }
  const exchange = (url, headers, b) =>
    new Promise((ok, bad) => {
      const r = client.request(
        url,
        { method: 'POST', agent, headers: { ...headers, 'Content-Length': b.length } },
        res => {
          const c = [];
          res.on('data', d => c.push(d));
          res.on('end', () => {
            clearTimeout(t);
            ok({ status: res.statusCode, body: Buffer.concat(c) });
          });
          res.on('error', bad);
        },
      );
      const t = setTimeout(() => r.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })), TMO);
      r.on('error', e => {
        clearTimeout(t);
        bad(e);
      });
      r.end(b);
    });
  // FK: the question is passed on and the answer handed on as they are.
  const lefi = async fk => {
    const url = `${UP}/fk/lefi-extern-formansinformation/v9/aktorer/${encodeURIComponent(fk.aktor)}/formansinformation/fraga`;
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const { status, body } = await exchange(url, headers, Buffer.from(fk.json, 'base64'));
    if (status !== 200) throw new Error(`HTTP ${status}`);
    return `<ssbt:data><ssbt:lefiJsonSvar>${body.toString('base64')}</ssbt:lefiJsonSvar></ssbt:data>`;
  };
  const forfragan = (pid, ref) =>
    `<Forfragan><Personnummer>${esc(pid)}</Personnummer><Referens>${esc(ref)}</Referens></Forfragan>`;
  const csnBody = ({ g, p, pid }) =>
    `<csn:SBNUppgEkBistandBegar xmlns:csn="http://schema.csn.se/v4.0/kommunfraga" xmlns:sam="http://www.sambruk.se/SBNyttomeddelanden"><sam:Personnummer>${esc(pid)}</sam:Personnummer><sam:From>${p.from}</sam:From><sam:Tom>${p.tom}</sam:Tom><sam:Referens>${esc(g.ref)}</sam:Referens></csn:SBNUppgEkBistandBegar>`;
  // validation of a request, with the parsed document handed on
  function check(buf) {
    const doc = XmlDocument.fromBuffer(buf, PO);
    try {
      validator.validate(doc);
    } catch (e) {
      doc.dispose();
      throw e;
    }
    return doc;
  }
  function checkAnswer(xml) {
    const d = check(Buffer.from(xml));
    d.dispose();
    return xml;
  }
  const echoOf = doc => {
    let r = '';
    for (let c = bodyChild(doc).firstChild; c; c = c.next) if (c.name) r += c.canonicalizeToString({ mode: 1 });
    return `<ssbt:fraga>${r}</ssbt:fraga>`;
  };
  const tls = {
    key: fs.readFileSync(CERTS + '/server.key'),
    cert: fs.readFileSync(CERTS + '/server.pem'),
    ca: fs.readFileSync(CERTS + '/ca.pem'),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  };
  const send = (res, status, xml) => {
    const b = Buffer.from(xml);
    res.writeHead(status, { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': b.length });
    res.end(b);
  };
  const read = (req, cb) => {
    const c = [];
    req.on('data', d => c.push(d));
    req.on('end', () => cb(Buffer.concat(c)));
  };
  let srv;

  if (MODE === 'soap') {
    const soap = createRequire(import.meta.url)('soap');
    const text = t => t,
      wopt = { customDeserializer: { date: text, dateTime: text }, disableCache: false, preserveWhitespace: true };
    const clients = {};
    for (const n of ['af', 'csn', 'skv', 'so', 'tns', 'miv'])
      clients[n] = await soap.createClientAsync(`${root}/contract-own/${n}.wsdl`, wopt, `${UP}/${n}`);
    const invoke = async (n, args) => {
      try {
        const r = await clients[n].hamtaAsync(args, { timeout: TMO, [secure ? 'httpsAgent' : 'httpAgent']: agent });
        return r[1];
      } catch (e) {
        const f = e.root?.Envelope?.Body?.Fault;
        if (f) throw new BtFault(typeof f.faultstring === 'object' ? f.faultstring.$value : f.faultstring);
        throw e;
      }
    };
    const call = {
      af: ({ g, p, a, pid }) =>
        invoke('af', {
          Fraga: {
            OrganisationsnummerForIngivare: a.org,
            NamnPaIngivare: a.namn,
            KontonamnForHandlaggare: a.hand,
            Referensnummer: g.ref,
            From: p.from,
            Tom: p.tom,
            SyfteMedFraga: g.syfte,
            LagParagraf: g.lag,
            IdentitetsbeteckningFysiskPerson: pid,
          },
        }),
      csn: x => invoke('csn', { _xml: csnBody(x) }),
      skv: ({ g, pid }) => invoke('skv', { forfragan: forfragan(pid, g.ref) }),
      so: ({ g, p, a, pid }) =>
        invoke('so', {
          OrganisationsnummerIngivare: a.org,
          NamnIngivare: a.namn,
          KontonamnHandlaggare: a.hand,
          Referensnummer: g.ref,
          From: p.from,
          Tom: p.tom,
          Syfte: g.syfte,
          Paragraf: g.lag,
          OrganisationsnummerPersonuppgiftsbitrade: g.bitr.map(b => b.org),
          NamnPersonuppgiftsbitrade: g.bitr.map(b => b.namn),
          IdentificationNumber: pid,
        }),
      tns: ({ pid }) => invoke('tns', { identifikation: { sekel: pid.slice(0, 2), personnummer: pid.slice(2) } }),
      miv: ({ g, a, pid }) =>
        invoke('miv', {
          query: {
            ...(g.corr != null && { korrelationsid: g.corr }),
            personnummer: pid,
            ingivare: { handlaggare: a.hand, namn: a.namn, organisationsnummer: a.org },
          },
        }),
    };
    const per = t => t && { from: t.fromDatum, tom: t.tomDatum };
    const service = {
      BastjanstInformationInterfaceService: {
        BastjanstInformationInterfacePort: {
          hamtaBastjanstInformation(args, cb, headers, req) {
            const G = args.generellaFrageparametrar,
              S = args.specifikaFrageparametrar,
              arr = x => (x == null ? [] : Array.isArray(x) ? x : [x]);
            const g = {
              tid: G.frageTidpunkt,
              corr: G.korrelationsid,
              ing: { org: G.ingivare.organisationsnummer, namn: G.ingivare.namn, hand: G.ingivare.handlaggare },
              pid: G.personidentitet,
              ref: G.arendeidentitet,
              per: per(G.tidsperiod),
              syfte: G.syfte,
              lag: G.lagtext,
              bitr: arr(G.personuppgiftsbitrade).map(b => ({ org: b.organisationsnummer, namn: b.namn })),
            };
            const s = {};
            for (const n of SECTIONS) {
              const v = String(S[n]?.attributes?.inkludera);
              s[n] = { on: v === 'true' || v === '1', per: per(S[n]?.tidsperiod) };
            }
            const own = S.FK?.fraga;
            s.FK.fraga = own && { aktor: own.aktorsid, json: own.lefiJsonFraga };
            let echo = '';
            if (G.fraganSkallInkluderasISvaret === true || G.fraganSkallInkluderasISvaret === 'true') {
              const d = XmlDocument.fromBuffer(req.body, PO);
              echo = echoOf(d);
              d.dispose();
            }
            combine({ g, s }, call, echo).then(
              xml => cb(null, { _xml: xml }),
              e => cb({ Fault: { faultcode: 'soap:Server', faultstring: e.message } }),
            );
          },
        },
      },
    };
    srv = https.createServer(tls);
    let okS, badS;
    const ready = new Promise((o, b) => {
      okS = o;
      badS = b;
    });
    const ss = soap.listen(srv, {
      path: '/ssbtek',
      services: service,
      xml: fs.readFileSync(E.WSDL, 'utf8'),
      uri: E.WSDL,
      ...wopt,
      suppressStack: true,
      callback: e => (e ? badS(e) : okS()),
    });
    await ready;
    const inner = srv.listeners('request').slice();
    srv.removeAllListeners('request');
    srv.on('request', (req, res) =>
      read(req, b => {
        // schema check of the question, before "soap" sees it (req.body is its documented hook)
        try {
          check(b).dispose();
        } catch (e) {
          return send(res, 500, fault('Client', e.message));
        }
        req.body = b;
        for (const l of inner) l.call(srv, req, res);
      }),
    );
    const sendOrig = ss._sendHttpResponse; // schema check of the answer, just before it is sent (no public hook for this)
    ss._sendHttpResponse = function (res, status, xml) {
      if (!status || status === 200)
        try {
          checkAnswer(xml);
        } catch (e) {
          return send(res, 500, fault('Server', 'answer does not follow the schema: ' + e.message));
        }
      res.setHeader('Content-Type', 'text/xml; charset=utf-8');
      return sendOrig.call(this, res, status, xml);
    };
  } else {
    const post = (n, body) =>
      exchange(
        `${UP}/${n}`,
        { 'Content-Type': 'text/xml; charset=utf-8', SOAPAction: '""' },
        Buffer.from(
          `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${ENV}"><soap:Body>${body}</soap:Body></soap:Envelope>`,
        ),
      ).then(r => r.body);
    const el = (p, o) =>
      Object.entries(o)
        .map(([k, v]) => (Array.isArray(v) ? v : [v]).map(x => `<${p}${k}>${esc(x)}</${p}${k}>`).join(''))
        .join('');
    const call = {
      af: ({ g, p, a, pid }) =>
        post(
          'af',
          `<FragaMeddelande xmlns="http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2"><Fraga>${el('', { OrganisationsnummerForIngivare: a.org, NamnPaIngivare: a.namn, KontonamnForHandlaggare: a.hand, Referensnummer: g.ref, From: p.from, Tom: p.tom, SyfteMedFraga: g.syfte, LagParagraf: g.lag, IdentitetsbeteckningFysiskPerson: pid })}</Fraga></FragaMeddelande>`,
        ),
      csn: x => post('csn', csnBody(x)),
      skv: ({ g, pid }) =>
        post(
          'skv',
          `<skv:BeskattningsuppgifterRequest xmlns:skv="http://beskattningws.ws.service.bs.zg.rsv.se/">${el('', { forfragan: forfragan(pid, g.ref) })}</skv:BeskattningsuppgifterRequest>`,
        ),
      so: ({ g, p, a, pid }) =>
        post(
          'so',
          `<so:GetUnemploymentBenefitPaymentRequest xmlns:so="http://INT014.UBPService.Schemas">${el('so:', { OrganisationsnummerIngivare: a.org, NamnIngivare: a.namn, KontonamnHandlaggare: a.hand, Referensnummer: g.ref, From: p.from, Tom: p.tom, Syfte: g.syfte, Paragraf: g.lag, OrganisationsnummerPersonuppgiftsbitrade: g.bitr.map(b => b.org), NamnPersonuppgiftsbitrade: g.bitr.map(b => b.namn), IdentificationNumber: pid })}</so:GetUnemploymentBenefitPaymentRequest>`,
        ),
      tns: ({ pid }) =>
        post(
          'tns',
          `<t:HamtaUppgifter xmlns:t="http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1" xmlns:p="http://schema.transportstyrelsen.se/ssbtek/person/1"><t:identifikation>${el('p:', { sekel: pid.slice(0, 2), personnummer: pid.slice(2) })}</t:identifikation></t:HamtaUppgifter>`,
        ),
      miv: ({ g, a, pid }) =>
        post(
          'miv',
          `<m:findByPersonnummer xmlns:m="http://schema.migrationsverket.se/ssbtek/1/"><query>${g.corr != null ? el('', { korrelationsid: g.corr }) : ''}${el('', { personnummer: pid })}<ingivare>${el('', { handlaggare: a.hand, namn: a.namn, organisationsnummer: a.org })}</ingivare></query></m:findByPersonnummer>`,
        ),
    };
    const kids = e => {
      const m = {};
      for (let c = e.firstChild; c; c = c.next) if (c.name) (m[c.name] ||= []).push(c);
      return m;
    };
    const per = e => {
      if (!e) return undefined;
      const k = kids(e);
      return { from: k.fromDatum[0].content, tom: k.tomDatum[0].content };
    };
    srv = https.createServer(tls, (req, res) =>
      read(req, async b => {
        let doc;
        try {
          doc = check(b);
        } catch (e) {
          return send(res, 500, fault('Client', e.message));
        }
        try {
          let f,
            echo = '';
          try {
            const op = bodyChild(doc);
            if (op.name !== 'hamtaBastjanstInformation')
              throw Object.assign(new Error('unknown request'), { client: 1 });
            const t = kids(op),
              G = kids(t.generellaFrageparametrar[0]),
              S = kids(t.specifikaFrageparametrar[0]),
              I = kids(G.ingivare[0]),
              c = n => G[n]?.[0].content;
            const g = {
              tid: c('frageTidpunkt'),
              corr: c('korrelationsid'),
              ing: { org: I.organisationsnummer[0].content, namn: I.namn[0].content, hand: I.handlaggare[0].content },
              pid: c('personidentitet').trim(),
              ref: c('arendeidentitet'),
              per: per(G.tidsperiod[0]),
              syfte: c('syfte'),
              lag: c('lagtext'),
              bitr: (G.personuppgiftsbitrade || []).map(x => {
                const k = kids(x);
                return { org: k.organisationsnummer[0].content, namn: k.namn[0].content };
              }),
            };
            const s = {};
            for (const n of SECTIONS) {
              const v = S[n][0].attr('inkludera').value.trim();
              s[n] = { on: v === 'true' || v === '1', per: per(kids(S[n][0]).tidsperiod?.[0]) };
            }
            const own = kids(S.FK[0]).fraga?.[0],
              inner = own && kids(own);
            s.FK.fraga = own && { aktor: inner.aktorsid[0].content, json: inner.lefiJsonFraga[0].content };
            if (['true', '1'].includes(c('fraganSkallInkluderasISvaret').trim())) echo = echoOf(doc);
            f = { g, s };
          } finally {
            doc.dispose();
          }
          send(
            res,
            200,
            checkAnswer(
              `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="${ENV}"><soap:Body>${await combine(f, call, echo)}</soap:Body></soap:Envelope>`,
            ),
          );
        } catch (e) {
          send(res, 500, fault(e.client ? 'Client' : 'Server', e.message));
        }
      }),
    );
  }
  srv.keepAliveTimeout = 60000;
  srv.listen(PORT, '127.0.0.1', 1024, () => {
    if (cluster.isPrimary) console.log(`node gateway on ${PORT} mode ${MODE}`);
  });
}
