<?php
/* Asks by SoapClient from the published WSDL, with the client certificate in the stream context. */
declare(strict_types=1);

function question(string $ingivare, string $arende = 'TEST-1'): array
{
    $skv = ['inkludera' => true];
    if (getenv('VERSION') !== '10') {
        $parts = ['foretagsinformation', 'individuppgifter', 'skattekonto', 'skatteuppgifter', 'beskattningsbilagor'];
        $skv['fraga'] = ['ar' => [2025]] + array_fill_keys($parts, true);
    }
    $lefi = ['lefiJsonFraga' => getenv('LEFI')];
    if (getenv('VERSION') === '1') {
        $lefi = [
            'formansinformation' => ['FK:SJP'],
            'preliminaraUtbetalningar' => ['PM:AP'],
            'utbetalningar' => ['FK:SJP', 'PM:AP'],
        ];
    }
    return [
        'generellaFrageparametrar' => [
            'korrelationsid' => 'fråga <&> 4711',
            'fraganSkallInkluderasISvaret' => true,
            'ingivare' => ['organisationsnummer' => $ingivare, 'namn' => 'Testkommunen', 'handlaggare' => 'test01'],
            'personidentitet' => '191212121212',
            'arendeidentitet' => $arende,
            'tidsperiod' => ['fromDatum' => getenv('FROM'), 'tomDatum' => getenv('TOM')],
            'syfte' => 'Handläggning av ekonomiskt bistånd',
            'lagtext' => '11 kap. 11 § SoL',
        ],
        'specifikaFrageparametrar' => [
            'AF' => ['inkludera' => true],
            'CSN' => ['inkludera' => true],
            'FK' => ['inkludera' => true, 'fraga' => ['aktorsid' => 'TEST-01'] + $lefi],
            'SKV' => $skv,
            'SO' => ['inkludera' => true],
            'TNS' => ['inkludera' => true],
            'MIV' => ['inkludera' => true],
        ],
    ];
}

function tell(string $name, string $value): void
{
    echo "$name\t$value\n";
}

function error(object $part): string
{
    return isset($part->error) ? "{$part->error->kalla} {$part->error->felkod}" : '';
}

function answering(object $section): string
{
    $verdict = fn (object $one): string => "$one->organisation $one->bedomning";
    return implode(', ', array_map($verdict, $section->oversikt->svarande));
}

/* What versions 10 and 11 have in base64 or in a text. */
function encoded(object $data): void
{
    tell('csn', bin2hex($data->CSN->data->svar));
    tell('lefi', bin2hex($data->FK->data->lefiJsonSvar));
    if (getenv('VERSION') === '10') {
        tell('skv', bin2hex($data->SKV->data->svar));
    } else {
        tell('skattekonto', bin2hex($data->SKV->skattekonto->data));
        tell('individuppgifter', error($data->SKV->individuppgifter));
    }
}

/* What the typed contract has as elements, and the overview of each section. */
function typed(object $data): void
{
    foreach ($data as $kod => $section) {
        tell("svarande $kod", answering($section));
    }
    tell('arende', $data->CSN->data->CSNSvar->Personer->Person->Studiemedel->Arenden->Arende[0]->status);
    $lefi = $data->FK->data;
    $payment = $lefi->formansinformation->utbetalningsuppgift[0];
    tell('utbetald', $payment->datum);
    tell('utbetalt', (string) $payment->nettobelopp->summa);
    tell('pension', $lefi->utbetalningar[0]->utbetalningsrader[0]->formansgrupp->kod);
    tell('tomma', $lefi->tomma);
    tell('skattekonto', $data->SKV->data->skattekonto->data->utbetaltBelopp);
    tell('individuppgifter', error($data->SKV->data->individuppgifter));
}

$tls = ['cafile' => getenv('CA'), 'local_cert' => getenv('CERTIFICATE'), 'local_pk' => getenv('KEY')];
$client = new SoapClient(getenv('WSDL'), [
    'location' => getenv('ADDRESS'),
    'stream_context' => stream_context_create(['ssl' => $tls]),
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
    'cache_wsdl' => WSDL_CACHE_NONE,
]);

foreach ($client->testaBastjanstInformation([]) as $kod => $part) {
    tell("testa $kod", trim(($part->anropad ? 'true ' : 'false ') . error($part)));
}
$answer = $client->hamtaBastjanstInformation(question('162021004748'));
$data = $answer->svarsdata;
foreach ($data as $kod => $section) {
    tell($kod, error($section) ?: 'DATA');
}
tell('syfte', $answer->fraga->generellaFrageparametrar->syfte);
tell('korrelationsid', $answer->korrelationsid);
tell('person', $data->AF->data->Svar->IdentitetsbeteckningFysiskPerson);
$payments = end($data->SO->data->ArbetsloshetsersattningLista->Arbetsloshetsersattning)->Utbetalningar;
tell('belopp', end($payments)->NettoEfterAvdrag);
tell('fordon', implode(' ', array_column($data->TNS->data->fordonsinnehav->fordon, 'regnr')));
tell('tillstand', implode(' ', array_column($data->MIV->data->response->svarCollection->svar, 'giltighetstid')));
getenv('VERSION') === '1' ? typed($data) : encoded($data);
$limited = $client->hamtaBastjanstInformation(question('162021004748', str_repeat('X', 32)));
tell('fel', error($limited->svarsdata->CSN));
if (getenv('VERSION') === '1') {
    tell('svarande fel', answering($limited->svarsdata->CSN));
}
try {
    $client->hamtaBastjanstInformation(question('162120009994'));
} catch (SoapFault $fault) {
    $detail = $fault->detail->hamtaBastjanstInformationFault;
    tell('felkod', $detail->felkod);
    tell('felmeddelande', $detail->felmeddelande[0]);
}
