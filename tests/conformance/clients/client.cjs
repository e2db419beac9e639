// Asks by npm's soap from the published WSDL, with the client certificate in an https agent and in soap's own security.
const { readFileSync } = require('node:fs');
const https = require('node:https');
const soap = require('soap');

const env = process.env;
const tell = (name, value) => console.log(`${name}\t${value}`);
const error = (part) => (part.error ? `${part.error.kalla} ${part.error.felkod}` : '');

function question(ingivare, arende = 'TEST-1') {
  const included = { attributes: { inkludera: 'true' } };
  const skv = {
    ar: [2025],
    foretagsinformation: true,
    individuppgifter: true,
    skattekonto: true,
    skatteuppgifter: true,
    beskattningsbilagor: true,
  };
  // This tool leaves base64Binary to its caller, both ways.
  const json = { lefiJsonFraga: Buffer.from(env.LEFI).toString('base64') };
  const koder = {
    formansinformation: ['FK:SJP'],
    preliminaraUtbetalningar: ['PM:AP'],
    utbetalningar: ['FK:SJP', 'PM:AP'],
  };
  const lefi = { aktorsid: 'TEST-01', ...(env.VERSION === '1' ? koder : json) };
  return {
    generellaFrageparametrar: {
      korrelationsid: 'fråga <&> 4711',
      fraganSkallInkluderasISvaret: true,
      ingivare: { organisationsnummer: ingivare, namn: 'Testkommunen', handlaggare: 'test01' },
      personidentitet: '191212121212',
      arendeidentitet: arende,
      tidsperiod: { fromDatum: env.FROM, tomDatum: env.TOM },
      syfte: 'Handläggning av ekonomiskt bistånd',
      lagtext: '11 kap. 11 § SoL',
    },
    specifikaFrageparametrar: {
      AF: included,
      CSN: included,
      FK: { ...included, fraga: lefi },
      SKV: env.VERSION === '10' ? included : { ...included, fraga: skv },
      SO: included,
      TNS: included,
      MIV: included,
    },
  };
}

const answering = (section) => {
  return section.oversikt.svarande.map((one) => `${one.organisation} ${one.bedomning}`).join(', ');
};

// What versions 10 and 11 have in base64 or in a text.
function encoded(data) {
  tell('csn', Buffer.from(data.CSN.data.svar, 'base64').toString('hex'));
  tell('lefi', Buffer.from(data.FK.data.lefiJsonSvar, 'base64').toString('hex'));
  if (env.VERSION === '10') {
    tell('skv', Buffer.from(data.SKV.data.svar).toString('hex'));
  } else {
    tell('skattekonto', Buffer.from(data.SKV.skattekonto.data, 'base64').toString('hex'));
    tell('individuppgifter', error(data.SKV.individuppgifter));
  }
}

// What the typed contract has as elements, and the overview of each section.
function typed(data) {
  for (const [kod, section] of Object.entries(data)) tell(`svarande ${kod}`, answering(section));
  tell('arende', data.CSN.data.CSNSvar.Personer.Person.Studiemedel.Arenden.Arende[0].status);
  const lefi = data.FK.data;
  const [payment] = lefi.formansinformation.utbetalningsuppgift;
  tell('utbetald', payment.datum);
  tell('utbetalt', payment.nettobelopp.summa);
  tell('pension', lefi.utbetalningar[0].utbetalningsrader[0].formansgrupp.kod);
  tell('tomma', lefi.attributes.tomma);
  tell('skattekonto', data.SKV.data.skattekonto.data.utbetaltBelopp);
  tell('individuppgifter', error(data.SKV.data.individuppgifter));
}

async function main() {
  const tls = { ca: readFileSync(env.CA), cert: readFileSync(env.CERTIFICATE), key: readFileSync(env.KEY) };
  const options = { endpoint: env.ADDRESS, wsdl_options: { httpsAgent: new https.Agent(tls) } };
  const client = await soap.createClientAsync(env.WSDL, options);
  client.setSecurity(new soap.ClientSSLSecurity(tls.key, tls.cert, tls.ca));

  const [test] = await client.testaBastjanstInformationAsync({});
  for (const [kod, part] of Object.entries(test)) tell(`testa ${kod}`, `${part.anropad} ${error(part)}`.trim());

  const [answer] = await client.hamtaBastjanstInformationAsync(question('162021004748'));
  const data = answer.svarsdata;
  for (const [kod, section] of Object.entries(data)) tell(kod, error(section) || 'DATA');
  tell('syfte', answer.fraga.generellaFrageparametrar.syfte);
  tell('korrelationsid', answer.korrelationsid);
  tell('person', data.AF.data.Svar.IdentitetsbeteckningFysiskPerson);
  const payments = data.SO.data.ArbetsloshetsersattningLista.Arbetsloshetsersattning.at(-1).Utbetalningar;
  tell('belopp', payments.at(-1).NettoEfterAvdrag);
  tell('fordon', data.TNS.data.fordonsinnehav.fordon.map((fordon) => fordon.regnr).join(' '));
  tell('tillstand', data.MIV.data.response.svarCollection.svar.map((svar) => svar.giltighetstid).join(' '));
  if (env.VERSION === '1') typed(data);
  else encoded(data);

  const [limited] = await client.hamtaBastjanstInformationAsync(question('162021004748', 'X'.repeat(32)));
  tell('fel', error(limited.svarsdata.CSN));
  if (env.VERSION === '1') tell('svarande fel', answering(limited.svarsdata.CSN));
  try {
    await client.hamtaBastjanstInformationAsync(question('162120009994'));
  } catch (refused) {
    const detail = refused.root.Envelope.Body.Fault.detail.hamtaBastjanstInformationFault;
    tell('felkod', detail.felkod);
    tell('felmeddelande', [detail.felmeddelande].flat()[0]);
  }
}

main();
