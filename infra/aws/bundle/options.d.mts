export declare const options: object;
